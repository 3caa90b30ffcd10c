import { readFileSync } from "node:fs";
import { cFunctions } from "../lib/c-library.ts";

/**
 * Options of the JavaScript engine that a process can only be started with. Left to itself the engine compiles whatever ran
 * for a moment, and most of that once more: for a collector, whose inner loops are kernels, that costs 5 to 12 MB at the
 * peak and wins no time.
 */
const OPTIONS: Readonly<Record<string, string>> = {
  // The second of two optimizing compilers.
  BUN_JSC_useFTLJIT: "0",
  // What the first one is for; 1000 is usual.
  BUN_JSC_thresholdForOptimizeAfterWarmUp: "200000",
};

/**
 * Starts this process anew, with these options, unless it was: the same process to everybody outside, as nothing has been
 * opened yet. Does nothing when any of them is in the environment already; where it cannot be done, the collector is merely
 * larger.
 */
export function startWithOptions(): void {
  if (wereSet()) return;
  try {
    const { execve } = cFunctions({
      execve: { args: ["buffer", "buffer", "buffer"], returns: "i32" },
    }) as { execve: (path: Buffer, args: BigUint64Array, env: BigUint64Array) => number };
    // As bytes: they need not be text.
    const args = strings(readFileSync("/proc/self/cmdline"));
    const settings = Object.entries(OPTIONS).map(([name, value]) => `${name}=${value}\0`).join("");
    const env = strings(Buffer.concat([readFileSync("/proc/self/environ"), Buffer.from(settings)]));
    execve(Buffer.from(`${process.execPath}\0`), args, env);
  } catch {
    // Without /proc, for one. The call itself returns when it fails.
  }
}

/** Whether the options are there, which are not to be seen by those that this process starts. */
function wereSet(): boolean {
  const names = Object.keys(OPTIONS).filter((name) => process.env[name] !== undefined);
  for (const name of names) if (process.env[name] === OPTIONS[name]) delete process.env[name];
  return names.length > 0;
}

/** What pointers lead to, which nobody sees that they do. */
const kept: Buffer[] = [];

/** Pointers to texts that end with a zero each, and a null pointer at the end. */
function strings(texts: Buffer): BigUint64Array {
  kept.push(texts);
  const { ptr } = require("bun:ffi") as typeof import("bun:ffi");
  const start = BigInt(ptr(texts));
  const pointers: bigint[] = [];
  for (let at = 0; at < texts.length; at = texts.indexOf(0, at) + 1) {
    pointers.push(start + BigInt(at));
  }
  return BigUint64Array.from([...pointers, 0n]);
}
