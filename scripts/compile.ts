import { mkdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { writeAuthorModules } from "./author-modules.ts";
import { dropSourceTexts } from "./drop-source-texts.ts";
import { writeKernels } from "./kernels.ts";
import { leanDependencies } from "./lean-dependencies.ts";
import { writeSdkTypes } from "./sdk-types.ts";

export interface CompileOptions {
  readonly outfile: string;
  /** The runtime that the executable is made of; by default the one that runs this. */
  readonly executablePath?: string;
  readonly target?: Bun.Build.CompileTarget;
  /** 5 MB smaller, of which 3 packed, and 50 ms slower at the start: for images. */
  readonly compact?: boolean;
  /** The functions that a start runs, as {@link STARTS} has them; `null` to lay out the executable that records them. */
  readonly starts?: string | null;
}

/** Written by scripts/record-starts.ts. */
export const STARTS = "scripts/starts.txt";

/** Writes the parts of the executable that src/lib/kernels.ts and src/cli/plugin/embedded.ts name. They are needed before `compile`. */
export async function writeEmbedded(): Promise<void> {
  writeKernels("dist/embedded/kernels.txt");
  writeSdkTypes("dist/embedded/logcollector-sdk.d.ts.txt");
  await writeAuthorModules("dist/embedded/author-modules.zst.txt");
}

/** Compiles the one executable. Throws with everything that is wrong. */
export async function compile({ outfile, ...runtime }: CompileOptions): Promise<void> {
  // The executable has its own name in itself: one name, so that the same sources make the same bytes.
  const folder = `${outfile}.making-${process.pid}`;
  mkdirSync(folder, { recursive: true });
  try {
    await bundle(join(folder, "logcollector"), runtime);
    dropSourceTexts(join(folder, "logcollector"));
    renameSync(join(folder, "logcollector"), outfile);
  } finally {
    // With the source maps, which the executable holds itself.
    rmSync(folder, { recursive: true, force: true });
  }
}

async function bundle(
  outfile: string,
  { compact = false, starts = STARTS, ...runtime }: Omit<CompileOptions, "outfile">,
): Promise<void> {
  const result = await Bun.build({
    // The second is where the thread of an isolated plugin starts, the third where one of service.workers does.
    entrypoints: ["src/main.ts", "src/worker.ts", "src/shard.ts"],
    minify: { whitespace: true, syntax: true, identifiers: false },
    sourcemap: "inline",
    // All functions are parsed ahead of time; of a compact executable, the top level of modules alone.
    bytecode: true,
    ...(compact && { bytecodeDepth: 0 }),
    format: "esm",
    // What both entries need is there once, and what nobody asked for stays unread: 2 MB less at rest.
    splitting: true,
    plugins: [leanDependencies],
    compile: {
      outfile,
      ...runtime,
      // --smol keeps the heap small: the collector's objects die young, and a bigger heap is no faster.
      execArgv: ["--smol"],
      // What runs once at the start is not worth compiling; `run` sets the usual policy.
      jitPolicy: 8,
      // What a start needs lies together.
      bytecodeOrder: compact ? null : starts,
      // What lies in the working directory must not change how the collector runs.
      autoloadDotenv: false,
      autoloadBunfig: false,
    },
  });
  if (!result.success) throw new AggregateError(result.logs, `Cannot compile ${outfile}`);
}
