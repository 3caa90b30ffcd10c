import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";

/** Why there can be no small disk here, if there cannot. */
export const noSmallDisk: string | undefined = process.getuid?.() === 0
  ? undefined
  : "a file system can be mounted by root only";

/**
 * Runs something in a folder that is a file system of its own, of this size. `remount` changes it between `ro` and
 * `rw`. Says so and does nothing where that cannot be.
 */
export async function onSmallDisk(
  size: string,
  work: (folder: string, remount: (mode: "ro" | "rw") => void) => void | Promise<void>,
): Promise<void> {
  if (noSmallDisk !== undefined) return console.log(`skipped: ${noSmallDisk}`);
  const folder = mkdtempSync(`${tmpdir()}/logcollector-disk-`);
  try {
    run("mount", "-t", "tmpfs", "-o", `size=${size},mode=0777`, "tmpfs", folder);
    try {
      await work(folder, (mode) => run("mount", "-o", `remount,${mode},size=${size}`, folder));
    } finally {
      // A process that was ended may hold it for a moment.
      run("umount", "-l", folder);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function run(...command: string[]): void {
  const { exitCode, stderr } = Bun.spawnSync(command);
  if (exitCode !== 0) throw new Error(`${command.join(" ")}: ${stderr}`);
}
