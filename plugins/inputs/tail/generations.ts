import { basename, extname } from "node:path";

/** The names that a file gets when it is rotated. */
export interface GenerationNames {
  /** They all begin like this. */
  readonly stem: string;
  readonly matches: (name: string) => boolean;
}

/** The names that `app.log` gets when it is rotated: `app.log.1`, `app-20240131.log`, `app.log.old`. */
export function generationsOf(name: string): GenerationNames {
  const extension = extname(name);
  const stem = basename(name, extension);
  return {
    stem,
    matches: (other) => {
      if (other === name || !other.startsWith(stem)) return false;
      const added = other.slice(stem.length).replace(extension, "");
      return added !== "" && /^[-._\dTZ:+]*(?:old|bak|prev|last)?$/i.test(added);
    },
  };
}

export interface Generation {
  readonly path: string;
  /** Milliseconds since 1970; 0 when it is not known. */
  readonly birthMs: number;
}

/**
 * Orders generations of a file, the oldest first. Times have the clock's coarse step: files made within
 * one are told apart by their names, where `.2` is older than `.1`, and one date older than the next.
 */
export function byAge(a: Generation, b: Generation): number {
  if (a.birthMs !== b.birthMs) return a.birthMs - b.birthMs;
  const [one, other] = [rotationCount(a.path), rotationCount(b.path)];
  if (one !== -1 || other !== -1) return other - one;
  return a.path < b.path ? -1 : a.path > b.path ? 1 : 0;
}

/** The same for files whose times say less than the numbers in their names do. */
export function byRotation(a: Generation, b: Generation): number {
  const [one, other] = [rotationCount(a.path), rotationCount(b.path)];
  return one !== -1 && other !== -1 && one !== other ? other - one : byAge(a, b);
}

/** 3 for `app.log.3`; -1 for a name without such a number, and for a date. */
function rotationCount(path: string): number {
  const match = /\.(\d{1,4})$/.exec(path) ?? /[-_.](\d{1,4})\.[A-Za-z]+$/.exec(path);
  return match === null ? -1 : Number(match[1]);
}
