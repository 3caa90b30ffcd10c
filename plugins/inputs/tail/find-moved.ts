import { dirname } from "node:path";
import type { BirthTimes } from "./birth-times.ts";
import { identityOf } from "./file-identity.ts";
import type { NewFile } from "./new-file.ts";
import { FolderListing } from "./folder-listing.ts";
import { realPathOf } from "./real-path.ts";

/** Where a file lies that was renamed since it was found, and where it was made; `undefined` when it is nowhere. */
export function findMoved(
  { openPath, home = realPathOf(openPath), stat }: Pick<NewFile, "openPath" | "home" | "stat">,
  births: BirthTimes,
): { readonly openPath: string; readonly home: string } | undefined {
  const moved = new FolderListing(dirname(home)).filesWithIno(stat.ino).find((other) =>
    identityOf(other.stat) === identityOf(stat) && births.of(other.stat) === births.of(stat)
  );
  return moved && { openPath: moved.path, home };
}
