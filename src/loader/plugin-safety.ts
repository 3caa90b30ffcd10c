import { accessSync, constants, readFileSync, realpathSync, statSync } from "node:fs";
import { dirname } from "node:path";

/** What the configuration asks of a plugin's file before it is loaded. */
export interface PluginRequest {
  readonly path: string;
  readonly sha256?: string | undefined;
  readonly allow_world_writable?: boolean | undefined;
  /** It was found in a folder or by a pattern: who adds a file there adds a plugin. */
  readonly wasFound?: boolean | undefined;
}

const WORLD_WRITABLE = 0o002;
const STICKY = 0o1000;

/**
 * Refuses a file that everybody may change, and one that is not the one that was pinned: a plugin does what
 * the collector may do. Throws an Error that says what to do.
 */
export function checkPluginFile(
  { path, sha256, allow_world_writable, wasFound }: PluginRequest,
): void {
  const real = realpathSync(path);
  if (!statSync(real).isFile()) throw new Error("it is not a regular file");
  if (!allow_world_writable) {
    // The folder of the link and that of the file: who may put another file there chooses the plugin.
    for (const each of new Set([real, dirname(real), dirname(path)])) {
      checkWritable(each, wasFound === true);
    }
  }
  if (sha256 === undefined) return;
  const digest = new Bun.CryptoHasher("sha256").update(readFileSync(real)).digest("hex");
  if (digest === sha256) return;
  throw new Error(
    `its SHA-256 digest is ${digest}, not the ${sha256} that the configuration names: if the change is ` +
      "yours, put the new digest there",
  );
}

function checkWritable(path: string, wasFound: boolean): void {
  const { mode } = statSync(path);
  if ((mode & WORLD_WRITABLE) === 0 || isReadOnly(path)) return;
  // In a folder such as /tmp nobody can take the place of another's file, but everybody may add one.
  if ((mode & STICKY) !== 0 && !wasFound) return;
  throw new Error(
    `everybody may write to ${path}: run "chmod o-w ${path}", or add "allow_world_writable: on"`,
  );
}

/** Mounted for reading only, as a ConfigMap is, whatever its permissions say. */
function isReadOnly(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EROFS";
  }
}
