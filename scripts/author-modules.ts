// Bundles what the tests of plugins import, for the executable to give them.
import { leanDependencies } from "./lean-dependencies.ts";

/** Writes `logcollector/plugin`, `logcollector/testing` and zod as one module to `path`, packed by zstd. */
export async function writeAuthorModules(path: string): Promise<void> {
  const result = await Bun.build({
    entrypoints: ["src/testing/author-modules.ts"],
    target: "bun",
    format: "esm",
    // Names stay: they show in the stacks of failed tests.
    minify: { whitespace: true, syntax: true, identifiers: false },
    plugins: [leanDependencies],
  });
  if (!result.success) throw new AggregateError(result.logs, "Cannot bundle the plugins' modules");
  const text = await result.outputs[0]!.arrayBuffer();
  await Bun.write(path, Bun.zstdCompressSync(text, { level: 19 }));
}
