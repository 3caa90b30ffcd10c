import { readdirSync, readFileSync } from "node:fs";

/** Processor times in /proc are counted in hundredths of a second. */
const TICK_MS = 10;

/** Resident memory of a process, 0 when it is gone. */
export function residentBytes(pid: number): number {
  const kib = /^VmRSS:\s*(\d+) kB$/m.exec(read(pid, "status"))?.[1];
  return Number(kib ?? 0) * 1024;
}

/** Processor time that a process has used in all its threads, 0 when it is gone. */
export function cpuTimeMs(pid: number): number {
  const fields = afterName(read(pid, "stat"));
  return (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) * TICK_MS;
}

/** The threads of a process that run, or would if there were a processor for them. */
export function runningThreads(pid: number): ReadonlySet<string> {
  let all: string[];
  try {
    all = readdirSync(`/proc/${pid}/task`);
  } catch {
    return new Set();
  }
  return new Set(all.filter((thread) => afterName(read(pid, `task/${thread}/stat`))[0] === "R"));
}

/** The fields of `stat` from the state on. The name in brackets before them may hold anything, spaces too. */
function afterName(stat: string): string[] {
  return stat.split(") ").at(-1)!.split(" ");
}

function read(pid: number, name: string): string {
  try {
    return readFileSync(`/proc/${pid}/${name}`, "latin1");
  } catch {
    return "";
  }
}
