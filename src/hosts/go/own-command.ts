import { join } from "node:path";

/** How this program is started again: compiled, it is one executable; from source, the runtime runs its main file. */
export function ownCommand(): readonly string[] {
  // Also when the file was replaced by an update meanwhile, the process must be of the same version.
  if (import.meta.dir.startsWith("/$bunfs/")) return ["/proc/self/exe"];
  return [process.execPath, "--smol", join(import.meta.dir, "../../main.ts")];
}
