import { DamagedLetter, type LetterHeader } from "../../buffer/dead-letters/letter.ts";
import { type KeptLetter, listLetters } from "../../buffer/dead-letters/letter-folder.ts";
import { readLetterHeader } from "../../buffer/dead-letters/read-letter.ts";
import { type DiskFiles, systemDiskFiles } from "../../buffer/disk/files.ts";
import type { LetterChoice } from "./arguments.ts";

/** A letter that was asked for. Either its header could be read, or there is a problem with it. */
export interface ChosenLetter extends KeptLetter {
  readonly header: LetterHeader | undefined;
  /** What keeps it from being read, for people. */
  readonly problem: string | undefined;
}

export interface ChosenLetters {
  /** The oldest first, read one by one as they are asked for. */
  readonly letters: Iterable<ChosenLetter>;
  /** Ids that were asked for and are not there. */
  readonly missing: readonly string[];
}

/** Looks letters up. A folder that is not there has none. Throws what the system says of the folder. */
export function chooseLetters(
  folder: string,
  { ids, output, olderThanMs }: LetterChoice,
  nowMs: number,
  files: DiskFiles = systemDiskFiles,
): ChosenLetters {
  const { letters } = files.facts(folder) === undefined
    ? { letters: [] }
    : listLetters(files, folder);
  const wanted = letters.filter(({ id, timeMs }) =>
    (ids === undefined || ids.includes(id)) &&
    (olderThanMs === undefined || nowMs - timeMs >= olderThanMs)
  );
  const found = new Set(wanted.map(({ id }) => id));
  return {
    letters: readEach(wanted, folder, output, files),
    missing: ids?.filter((id) => !found.has(id)) ?? [],
  };
}

function* readEach(
  letters: readonly KeptLetter[],
  folder: string,
  output: string | undefined,
  files: DiskFiles,
): Iterable<ChosenLetter> {
  for (const letter of letters) {
    try {
      const header = readLetterHeader(files, folder, letter.id);
      if (output === undefined || header.output === output) {
        yield { ...letter, header, problem: undefined };
      }
    } catch (error) {
      // Whose letter that is nobody can tell.
      if (output !== undefined || (error as NodeJS.ErrnoException).code === "ENOENT") continue;
      yield { ...letter, header: undefined, problem: problemOf(error) };
    }
  }
}

/** What is wrong with a letter, in a few words. */
export function problemOf(error: unknown): string {
  const { message, code } = error as NodeJS.ErrnoException;
  if (code === "ENOENT") return "it is not there any more";
  return error instanceof DamagedLetter ? `damaged: ${message}` : message;
}
