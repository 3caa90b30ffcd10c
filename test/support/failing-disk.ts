import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename } from "node:path";
import { TempFolder } from "./temp-folder.ts";

/**
 * A file system of its own, ext4 on a loop device, that a test can let fail: the kernel itself then gives the errors
 * that a program sees.
 */
export class FailingDisk implements Disposable {
  /** What goes on the disk is to be put here. */
  readonly path: string;
  private readonly folder: TempFolder;
  private readonly image: string;
  private readonly device: string;

  private constructor(folder: TempFolder) {
    this.folder = folder;
    this.path = folder.at("disk");
    this.image = folder.at("image");
    run("truncate", "-s", "64M", this.image);
    // Without a journal: what a write error would abort for good.
    run("mkfs.ext4", "-q", "-O", "^has_journal", "-E", "lazy_itable_init=0", this.image);
    this.device = run("losetup", "-f", "--show", this.image);
    run("mkdir", this.path);
  }

  /** Throws where there can be none. */
  static make(): FailingDisk {
    const folder = new TempFolder();
    let disk: FailingDisk | undefined;
    try {
      disk = new FailingDisk(folder);
      disk.fail();
      disk.heal();
      disk.mount();
      return disk;
    } catch (error) {
      disk?.detach();
      folder[Symbol.dispose]();
      throw error;
    }
  }

  /** Nothing more can be written to the device: what the system has taken is lost, and a sync says EIO. */
  fail(): void {
    // Then the loop device may not write, which it tells as any device does.
    run("chattr", "+i", this.image);
  }

  heal(): void {
    run("chattr", "-i", this.image);
  }

  /** The system has found the file system broken: it is read-only, for those who have files open in it too. */
  breakDown(): void {
    run("mount", "-o", "remount,errors=remount-ro", this.path);
    writeFileSync(`/sys/fs/ext4/${basename(this.device)}/trigger_fs_error`, "for a test");
    const mounts = readFileSync("/proc/mounts", "utf8");
    const line = mounts.split("\n").find((each) => each.includes(this.path))!;
    if (!/\bro\b|emergency_ro/.test(line)) throw new Error(`It is not read-only: ${line}`);
  }

  /** As after a repair: nothing is in memory of what was not written. */
  remount(): void {
    run("umount", this.path);
    this.repair();
    this.mount();
  }

  [Symbol.dispose](): void {
    Bun.spawnSync(["umount", "-l", this.path]);
    this.detach();
    this.folder[Symbol.dispose]();
  }

  private mount(): void {
    // Errors of the device are for the program to meet, not for the file system.
    run("mount", "-o", "errors=continue", this.device, this.path);
  }

  private repair(): void {
    const { exitCode, stdout } = Bun.spawnSync(["e2fsck", "-fy", this.device]);
    // 1 and 2 say that there was something to repair.
    if (exitCode > 2) throw new Error(`e2fsck: ${stdout}`);
  }

  private detach(): void {
    Bun.spawnSync(["chattr", "-i", this.image]);
    Bun.spawnSync(["losetup", "-d", this.device]);
    rmSync(this.image, { force: true });
  }
}

/** Why there can be no failing disk here, if there cannot. */
export function noFailingDisk(): string | undefined {
  if (process.getuid?.() !== 0) return "a file system can be mounted by root only";
  try {
    FailingDisk.make()[Symbol.dispose]();
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

/** Lays a read-only view over a folder: whoever opens or makes something there is told EROFS. */
export function makeReadOnly(folder: string): Disposable {
  run("mount", "--bind", folder, folder);
  run("mount", "-o", "remount,bind,ro", folder);
  return { [Symbol.dispose]: () => void run("umount", folder) };
}

function run(...command: string[]): string {
  const { exitCode, stdout, stderr } = Bun.spawnSync(command);
  if (exitCode !== 0) throw new Error(`${command.join(" ")}: ${stderr.toString().trim()}`);
  return stdout.toString().trim();
}
