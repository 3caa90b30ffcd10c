// Compiles the one executable. Run by Bun: `npm run build`.
import { existsSync, mkdirSync, readdirSync, rmSync, statSync } from "node:fs";
import { writeAuthorModules } from "./author-modules.ts";
import { writeKernels } from "./kernels.ts";
import { writeSdkTypes } from "./sdk-types.ts";

const OUTFILE = "dist/logcollector";
const SOURCES = ["src", "plugins", "package.json", "package-lock.json", "scripts"];

/** The newest change below a path, in milliseconds since the epoch. */
function newest(path: string): number {
  const stat = statSync(path);
  if (!stat.isDirectory()) return stat.mtimeMs;
  return Math.max(stat.mtimeMs, ...readdirSync(path).map((name) => newest(`${path}/${name}`)));
}

const upToDate = existsSync(OUTFILE) &&
  statSync(OUTFILE).mtimeMs > Math.max(...SOURCES.map(newest));

if (!upToDate) {
  mkdirSync("dist/embedded", { recursive: true });
  writeKernels("dist/embedded/kernels.txt");
  // Parts of the executable that src/cli/plugin/embedded.ts names.
  writeSdkTypes("dist/embedded/logcollector-sdk.d.ts.txt");
  await writeAuthorModules("dist/embedded/author-modules.txt");
  const result = await Bun.build({
    // The second is where the thread of an isolated plugin starts.
    entrypoints: ["src/main.ts", "src/worker.ts"],
    minify: { whitespace: true, syntax: true, identifiers: false },
    sourcemap: "inline",
    // Parsed ahead of time: the start takes a third less.
    bytecode: true,
    format: "esm",
    // What both entries need is there once, and what nobody asked for stays unread: 2 MB less at rest.
    splitting: true,
    compile: {
      outfile: OUTFILE,
      // --smol keeps the heap small: the collector's objects die young, and a bigger heap is no faster.
      execArgv: ["--smol"],
      // What runs once at the start is not worth compiling; `run` sets the usual policy.
      jitPolicy: 8,
      // What lies in the working directory must not change how the collector runs.
      autoloadDotenv: false,
      autoloadBunfig: false,
    },
  });
  if (!result.success) {
    for (const message of result.logs) console.error(message);
    process.exit(1);
  }
}
// The executable holds its source maps itself.
for (const name of readdirSync("dist").filter((each) => each.endsWith(".js.map"))) {
  rmSync(`dist/${name}`);
}
const { size } = statSync(OUTFILE);
console.error(`${OUTFILE}: ${(size / 1e6).toFixed(1)} MB${upToDate ? " (up to date)" : ""}`);
