import { realpathSync } from "node:fs";

/** The path with links resolved, or as it is when that cannot be. */
export function realPathOf(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}
