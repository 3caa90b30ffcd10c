import { readFileSync, statSync } from "node:fs";

/**
 * The process that has a lock of this kind on the file, by the system's list of locks; `undefined` when that does not
 * tell. The file is not opened: closing it would drop the fcntl locks that this process has on it.
 */
export function lockHolder(kind: "FLOCK" | "POSIX", path: string): number | undefined {
  try {
    const { dev, ino } = statSync(path);
    return holderIn(readFileSync("/proc/locks", "utf8"), kind, { dev, ino });
  } catch {
    return undefined;
  }
}

/**
 * Lines are `1: FLOCK  ADVISORY  WRITE 4711 fe:00:1234 0 EOF`, with the device's numbers in hexadecimal and the
 * inode's in decimal. A process outside of our namespace is 0.
 */
export function holderIn(
  locks: string,
  kind: "FLOCK" | "POSIX",
  { dev, ino }: { readonly dev: number; readonly ino: number },
): number | undefined {
  const found: { pid: number; isSameDevice: boolean }[] = [];
  for (const line of locks.split("\n")) {
    const match = LINE.exec(line);
    if (match?.[1] !== kind || Number(match[5]) !== ino) continue;
    const device = [parseInt(match[3]!, 16), parseInt(match[4]!, 16)];
    found.push({
      pid: Number(match[2]),
      isSameDevice: device[0] === majorOf(dev) && device[1] === minorOf(dev),
    });
  }
  // An overlay shows its files under another device than the list does.
  const holder = found.find(({ isSameDevice }) => isSameDevice) ??
    (found.length === 1 ? found[0] : undefined);
  return holder !== undefined && holder.pid > 0 ? holder.pid : undefined;
}

const LINE = /^\d+: (FLOCK|POSIX) +ADVISORY +WRITE +(-?\d+) +([0-9a-f]+):([0-9a-f]+):(\d+) /;

function majorOf(dev: number): number {
  return Math.floor(dev / 256) % 4096;
}

function minorOf(dev: number): number {
  return dev % 256 + Math.floor(dev / 2 ** 20) % 2 ** 12 * 256;
}
