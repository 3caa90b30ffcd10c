import { type LiveFile, PluginFiles } from "../loader/plugin-files.ts";
import type { Clock, Logger } from "../sdk/context.ts";

const LOOK_MS = 500;

/**
 * Looks after the files of the user's plugins for as long as the collector runs, and says what came of each
 * change. Returns the function that ends it.
 */
export function watchPlugins(
  files: readonly LiveFile[],
  log: Pick<Logger, "info" | "error">,
  clock: Pick<Clock, "after">,
): () => void {
  if (files.length === 0) return () => undefined;
  const plugins = new PluginFiles(files);
  let stopped = false;
  let cancel = clock.after(LOOK_MS, look);
  function look(): void {
    void plugins.look().then((changes) => {
      for (const { path, swapped, error } of changes) {
        if (error !== undefined) log.error(`${error.message}; the old version goes on`);
        for (const { kind, name } of swapped) {
          log.info(`Loaded ${kind} "${name}" again from ${path}: it goes on with the new version`);
        }
      }
      if (!stopped) cancel = clock.after(LOOK_MS, look);
    });
  }
  return () => {
    stopped = true;
    cancel();
  };
}
