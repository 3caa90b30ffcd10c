import { safeName } from "../disk/queue-folder.ts";

/** What a letter's name says, so that limits and metrics need not read its file. */
export interface LetterName {
  /** The file's name without its ending: how people refer to the letter. */
  readonly id: string;
  /** When it was given up, in milliseconds since 1970. */
  readonly timeMs: number;
  readonly records: number;
}

const ENDING = ".dead";
/** A letter is written under its name with this ending first. */
const TEMPORARY_ENDING = ".tmp";
const MAX_OUTPUT_CHARS = 100;
const ID = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d\.\d{3})Z-\d{4}-(\d+)-[\w.%-]+$/;

/** Counts letters of one millisecond. */
export const MAX_COUNTER = 9999;

/** `20261122T140501.123Z-0000-250-http.0`: time, counter, records, output. Ids sort as their letters came. */
export function letterId(
  time: string,
  counter: number,
  records: number,
  output: string,
): string {
  const compact = time.replace(/[-:]/g, "");
  const name = safeName(output).slice(0, MAX_OUTPUT_CHARS) || "_";
  return `${compact}-${String(counter).padStart(4, "0")}-${records}-${name}`;
}

export function letterFile(id: string): string {
  return id + ENDING;
}

export function temporaryFile(id: string): string {
  return id + TEMPORARY_ENDING;
}

/** `undefined` for a text that is no id. */
export function parseLetterId(id: string): LetterName | undefined {
  const match = ID.exec(id);
  if (match === null) return undefined;
  const [, year, month, day, hour, minute, second, records] = match;
  const timeMs = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  return Number.isNaN(timeMs) ? undefined : { id, timeMs, records: Number(records) };
}

/** What a file's name says: a letter, one that was never finished, or something that is none of ours. */
export function parseLetterFile(
  name: string,
): { readonly kind: "letter" | "temporary"; readonly letter: LetterName } | undefined {
  for (const [kind, ending] of [["letter", ENDING], ["temporary", TEMPORARY_ENDING]] as const) {
    if (!name.endsWith(ending)) continue;
    const letter = parseLetterId(name.slice(0, -ending.length));
    if (letter !== undefined) return { kind, letter };
  }
  return undefined;
}
