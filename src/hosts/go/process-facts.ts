import { readFileSync } from "node:fs";

/** Processor times in /proc are counted in hundredths of a second. */
const TICK_MS = 10;

/** Resident memory of a process, 0 when it is gone. */
export function residentBytes(pid: number): number {
  const kib = /^VmRSS:\s*(\d+) kB$/m.exec(read(pid, "status"))?.[1];
  return Number(kib ?? 0) * 1024;
}

/** Processor time that a process has used in all its threads, 0 when it is gone. */
export function cpuTimeMs(pid: number): number {
  // The name before the bracket may hold anything, spaces too.
  const fields = read(pid, "stat").split(") ").at(-1)!.split(" ");
  return (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) * TICK_MS;
}

function read(pid: number, name: string): string {
  try {
    return readFileSync(`/proc/${pid}/${name}`, "latin1");
  } catch {
    return "";
  }
}
