import type { DiskFiles } from "../disk/files.ts";
import { type LetterName, parseLetterFile } from "./letter-name.ts";

/** A letter in its folder. */
export interface KeptLetter extends LetterName {
  /** Size of the file: the payload and its header. */
  readonly fileBytes: number;
}

export interface LetterFolder {
  /** The oldest first. */
  readonly letters: readonly KeptLetter[];
  /** Names of files that a crash left unfinished. */
  readonly unfinished: readonly string[];
  /** Names that are none of ours. */
  readonly foreign: readonly string[];
}

/** Held by whoever sends letters again, so that nobody else does at the same time. */
export const REPLAY_LOCK = "replay.lock";

/** Lists a folder of dead letters by its names, and changes nothing. Throws what the system says. */
export function listLetters(files: DiskFiles, folder: string): LetterFolder {
  const letters: KeptLetter[] = [];
  const unfinished: string[] = [];
  const foreign: string[] = [];
  for (const { name, kind, size } of files.list(folder)) {
    const found = kind === "file" ? parseLetterFile(name) : undefined;
    if (found?.kind === "letter") letters.push({ ...found.letter, fileBytes: size });
    else if (found !== undefined) unfinished.push(name);
    else if (name !== REPLAY_LOCK) foreign.push(name);
  }
  letters.sort((a, b) => a.id < b.id ? -1 : 1);
  return { letters, unfinished, foreign };
}
