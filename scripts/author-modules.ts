// Bundles what the tests of plugins import, for the executable to give them.

/** Writes `logcollector/plugin`, `logcollector/testing` and zod as one module to `path`. */
export async function writeAuthorModules(path: string): Promise<void> {
  const result = await Bun.build({
    entrypoints: ["src/testing/author-modules.ts"],
    target: "bun",
    format: "esm",
    // Names stay: they show in the stacks of failed tests.
    minify: { whitespace: true, syntax: true, identifiers: false },
  });
  if (!result.success) throw new AggregateError(result.logs, "Cannot bundle the plugins' modules");
  await Bun.write(path, result.outputs[0]!);
}
