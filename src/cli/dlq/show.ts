import { type ReadLetter, readLetter } from "../../buffer/dead-letters/read-letter.ts";
import { systemDiskFiles } from "../../buffer/disk/files.ts";
import { countOf } from "../../lib/count-of.ts";
import { printable } from "../../telemetry/printable.ts";
import { type CommandIo, EXIT } from "../command-io.ts";
import { problemOf } from "./choose-letters.ts";
import { payloadText } from "./payload-text.ts";

/** What these commands may touch of the outside world. */
export interface DlqIo extends CommandIo {
  /** Writes bytes to the standard output as they are. */
  stdoutBytes(bytes: Uint8Array): void;
}

/** `logcollector dlq show ID`: what is known of a letter and what is in it; with `raw` the payload's bytes alone. */
export async function showDeadLetter(
  folder: string,
  id: string,
  raw: boolean,
  io: DlqIo,
): Promise<number> {
  let letter: ReadLetter;
  try {
    letter = readLetter(systemDiskFiles, folder, id);
  } catch (error) {
    const isMissing = (error as NodeJS.ErrnoException).code === "ENOENT";
    io.stderr(
      isMissing
        ? `logcollector: there is no dead letter ${id} in ${folder}\n`
        : `logcollector: cannot read dead letter ${id} in ${folder}: ${problemOf(error)}\n`,
    );
    return EXIT.failed;
  }
  if (raw) io.stdoutBytes(letter.bytes);
  else await show(folder, id, letter, io);
  return EXIT.ok;
}

async function show(
  folder: string,
  id: string,
  { header, bytes }: ReadLetter,
  io: CommandIo,
): Promise<void> {
  const { text, form, isCut } = await payloadText(header, bytes);
  const rows: readonly (readonly [string, string])[] = [
    ["id", id],
    ["file", `${folder}/${id}.dead`],
    ["time", header.time],
    ["output", header.output],
    ["plugin", header.format === "" ? header.plugin : `${header.plugin}, format ${header.format}`],
    ...(header.partition === "" ? [] : [["partition", header.partition] as const]),
    ["records", String(header.records)],
    ["reason", `${header.reason}, after ${countOf(header.attempts, "attempt")}`],
    ["message", header.message],
    ["payload", `${countOf(bytes.length, "byte")}${form === "" ? "" : `, ${form}`}`],
  ];
  for (const [name, value] of rows) io.stdout(`${name.padEnd(10)} ${printable(value)}\n`);
  io.stdout(`\n${text}`);
  if (isCut) io.stdout(`\n… and more: "logcollector dlq show ${id} --raw" writes all of it\n`);
}
