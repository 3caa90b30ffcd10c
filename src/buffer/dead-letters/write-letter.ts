import type { DiskFiles } from "../disk/files.ts";
import { type DeadLetter, encodeLetterHead } from "./letter.ts";
import type { KeptLetter } from "./letter-folder.ts";
import { letterFile, letterId, MAX_COUNTER, temporaryFile } from "./letter-name.ts";

/**
 * Writes a letter into a folder that is there. Resolves when it is on the disk under its name; rejects with what the
 * system says, and then nothing of it is left. Several processes may do this at a time.
 */
export async function writeLetter(
  files: DiskFiles,
  folder: string,
  letter: DeadLetter,
  timeMs: number,
): Promise<KeptLetter> {
  const time = new Date(timeMs).toISOString();
  const head = encodeLetterHead(letter, time);
  const { id, fd } = reserve(files, folder, letter, time);
  let path = `${folder}/${temporaryFile(id)}`;
  try {
    try {
      files.write(fd, [head, letter.bytes], 0);
      await files.sync(fd);
    } finally {
      files.close(fd);
    }
    // Only a whole letter has a letter's name.
    const final = `${folder}/${letterFile(id)}`;
    files.rename(path, final);
    path = final;
    await files.syncFolder(folder);
  } catch (error) {
    removeQuietly(files, path);
    throw error;
  }
  return { id, timeMs, records: letter.records, fileBytes: head.length + letter.bytes.length };
}

/**
 * Makes the temporary file of a name that is free. Whoever has made it has the name: nobody else can make it before
 * it has got its final name, and from then on that is there to be seen.
 */
function reserve(
  files: DiskFiles,
  folder: string,
  { records, output }: DeadLetter,
  time: string,
): { readonly id: string; readonly fd: number } {
  for (let counter = 0; counter <= MAX_COUNTER; counter++) {
    const id = letterId(time, counter, records, output);
    const path = `${folder}/${temporaryFile(id)}`;
    let fd: number;
    try {
      fd = files.create(path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "EEXIST") continue;
      throw error;
    }
    if (files.facts(`${folder}/${letterFile(id)}`) === undefined) return { id, fd };
    files.close(fd);
    removeQuietly(files, path);
  }
  throw new Error(`there are ${MAX_COUNTER + 1} dead letters of ${time} already`);
}

function removeQuietly(files: DiskFiles, path: string): void {
  try {
    if (files.facts(path) !== undefined) files.remove(path);
  } catch {
    // What cannot be removed now is removed at the next start.
  }
}
