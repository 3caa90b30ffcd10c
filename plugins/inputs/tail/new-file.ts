import type { Stats } from "node:fs";
import type { KnownFile } from "./known-files.ts";

/** A file that is to be followed from now on. */
export interface NewFile {
  /** The path that records speak of. */
  readonly path: string;
  readonly openPath: string;
  /** Where it was made, with links resolved, when that is another place. */
  readonly home: string | undefined;
  readonly stat: Stats;
  /** What is known of it from before. */
  readonly known: KnownFile | undefined;
  /** It took the place of a file that is known. */
  readonly isSuccessor: boolean;
  /** It was there at the first scan. */
  readonly isInitial: boolean;
}
