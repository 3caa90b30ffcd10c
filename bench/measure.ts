import { readFileSync } from "node:fs";

/** What one run of a process took. */
export interface Measurement {
  readonly cpuSec: number;
  readonly wallSec: number;
  /** VmHWM in bytes: the peak of the process alone. */
  readonly peakBytes: number;
}

const POLL_MS = 20;

/** Runs a command to its end. Throws when it fails. */
export async function measure(command: readonly string[]): Promise<Measurement> {
  const startMs = performance.now();
  const child = Bun.spawn([...command], { stdin: "ignore", stdout: "ignore", stderr: "pipe" });
  let peakBytes = 0;
  // The peak only grows, so the last look before the end is the peak, but for the last milliseconds.
  const timer = setInterval(() => peakBytes = Math.max(peakBytes, vmHwm(child.pid)), POLL_MS);
  const errors = await new Response(child.stderr).text();
  const status = await child.exited;
  clearInterval(timer);
  const wallSec = (performance.now() - startMs) / 1000;
  if (status !== 0) throw new Error(`${command[0]} ended with status ${status}: ${errors}`);
  const usage = child.resourceUsage()!;
  return { cpuSec: Number(usage.cpuTime.total) / 1e6, wallSec, peakBytes };
}

function vmHwm(pid: number): number {
  try {
    const match = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"));
    return Number(match?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}
