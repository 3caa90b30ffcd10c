// Compiles src/kernels to WebAssembly.
import { spawnSync } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";

/** `END` of src/kernels/memory.ts, in pages of 64 KiB. */
const PAGES = 0xbe;

/** Writes the kernels as one module in base64 to `path`. */
export function writeKernels(path: string): void {
  const file = `${path}-${process.pid}.wasm`;
  const { status, stderr } = spawnSync(process.execPath, [
    "node_modules/assemblyscript/bin/asc.js",
    "src/kernels/index.ts",
    `--outFile=${file}`,
    "-O3",
    "--runtime=stub",
    "--enable=simd",
    `--initialMemory=${PAGES}`,
    `--maximumMemory=${PAGES}`,
  ], { stdio: ["ignore", "ignore", "pipe"] });
  if (status !== 0) throw new Error(`Cannot compile src/kernels: ${stderr.toString()}`);
  writeFileSync(path, readFileSync(file).toString("base64"));
  rmSync(file);
}
