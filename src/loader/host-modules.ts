import * as zod from "zod";

let registered = false;

/**
 * Gives a module outside the executable the collector's own SDK and zod: a second copy of either would be
 * other classes and other schemas. Bun resolves these names only if they are registered before the import.
 */
export function registerHostModules(): void {
  if (registered) return;
  registered = true;
  Bun.plugin({
    name: "logcollector",
    setup(build) {
      build.module("logcollector/plugin", () => ({
        exports: require("../sdk/mod.ts"),
        loader: "object",
      }));
      build.module("zod", () => ({ exports: zod, loader: "object" }));
    },
  });
}
