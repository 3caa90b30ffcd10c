import { letterFile } from "../../buffer/dead-letters/letter-name.ts";
import { type DiskFiles, systemDiskFiles } from "../../buffer/disk/files.ts";
import { countOf } from "../../lib/count-of.ts";
import { printable } from "../../telemetry/printable.ts";
import { type CommandIo, EXIT } from "../command-io.ts";
import type { LetterChoice } from "./arguments.ts";
import { chooseLetters } from "./choose-letters.ts";

/** `logcollector dlq drop`: removes letters for good, and says which. Status 1 when one could not be removed. */
export async function dropDeadLetters(
  folder: string,
  choice: LetterChoice,
  io: CommandIo,
  files: DiskFiles = systemDiskFiles,
): Promise<number> {
  const { letters, missing } = chooseLetters(folder, choice, Date.now(), files);
  const dropped = { letters: 0, records: 0 };
  let failed = missing.length;
  for (const id of missing) io.stderr(`There is no dead letter ${id} in ${folder}\n`);
  for (const { id, records, header } of letters) {
    try {
      files.remove(`${folder}/${letterFile(id)}`);
    } catch (error) {
      // The collector has made room meanwhile, or somebody else was here.
      if ((error as NodeJS.ErrnoException).code === "ENOENT") continue;
      failed++;
      io.stderr(`Cannot drop ${id}: ${(error as Error).message}\n`);
      continue;
    }
    dropped.letters++;
    dropped.records += records;
    const whose = header === undefined ? "" : ` of output ${printable(header.output)}`;
    io.stdout(`Dropped ${id}, ${countOf(records, "record")}${whose}\n`);
  }
  if (dropped.letters > 0) await files.syncFolder(folder);
  io.stdout(
    `Dropped ${countOf(dropped.letters, "letter")} with ${countOf(dropped.records, "record")}\n`,
  );
  return failed === 0 ? EXIT.ok : EXIT.failed;
}
