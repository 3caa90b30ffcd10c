import { countOf } from "../../lib/count-of.ts";
import { printable, printableJson } from "../../telemetry/printable.ts";
import { type CommandIo, EXIT } from "../command-io.ts";
import { chooseLetters, type ChosenLetter } from "./choose-letters.ts";
import type { LetterChoice } from "./arguments.ts";

/** More of a message is shown by `dlq show`. In characters. */
const MAX_MESSAGE = 160;
const MAX_OUTPUT = 40;
const HEADINGS = ["ID", "TIME", "OUTPUT", "RECORDS", "BYTES", "REASON", "MESSAGE"];

/** `logcollector dlq list`: one line a letter, the oldest first, and totals; or one JSON object a line. */
export function listDeadLetters(
  folder: string,
  choice: LetterChoice,
  json: boolean,
  io: CommandIo,
): number {
  const { letters } = chooseLetters(folder, choice, Date.now());
  if (json) {
    for (const letter of letters) io.stdout(`${printableJson(JSON.stringify(objectOf(letter)))}\n`);
    return EXIT.ok;
  }
  const rows: string[][] = [];
  let records = 0;
  let bytes = 0;
  for (const letter of letters) {
    rows.push(rowOf(letter));
    records += letter.records;
    bytes += letter.fileBytes;
  }
  if (rows.length === 0) {
    const whose = choice.output === undefined ? "" : ` of output "${choice.output}"`;
    io.stdout(`There are no dead letters${whose} in ${folder}\n`);
    return EXIT.ok;
  }
  io.stdout(table([HEADINGS, ...rows]));
  const totals = [
    countOf(rows.length, "letter"),
    countOf(records, "record"),
    countOf(bytes, "byte"),
  ];
  io.stdout(`\n${totals.join(", ")} in ${folder}\n`);
  io.stdout(`"logcollector dlq show ID" shows one, "dlq replay" sends them again\n`);
  return EXIT.ok;
}

function objectOf({ id, timeMs, records, fileBytes, header, problem }: ChosenLetter): object {
  if (header === undefined) {
    return { id, time: new Date(timeMs).toISOString(), records, file_bytes: fileBytes, problem };
  }
  const { time, output, plugin, format, partition, reason, message, attempts, bytes } = header;
  return {
    id,
    time,
    output,
    plugin,
    format,
    partition,
    records: header.records,
    bytes,
    reason,
    message,
    attempts,
  };
}

function rowOf({ id, timeMs, records, fileBytes, header, problem }: ChosenLetter): string[] {
  const time = new Date(timeMs).toISOString().slice(0, 19).replace("T", " ");
  const { output = "?", bytes = fileBytes, reason = "?", message = problem ?? "" } = header ?? {};
  return [
    id,
    time,
    shortened(output, MAX_OUTPUT),
    String(records),
    String(bytes),
    shortened(reason, MAX_OUTPUT),
    shortened(message, MAX_MESSAGE),
  ];
}

function shortened(text: string, limit: number): string {
  return printable(text.length <= limit ? text : `${text.slice(0, limit - 1)}…`);
}

function table(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row) =>
    `${row.map((cell, column) => cell.padEnd(widths[column]!)).join("  ").trimEnd()}\n`
  ).join("");
}
