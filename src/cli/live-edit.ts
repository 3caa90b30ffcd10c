import type { LoadedFile } from "../loader/loaded-file.ts";
import { PluginFiles } from "../loader/plugin-files.ts";
import type { Clock, Logger } from "../sdk/context.ts";

const LOOK_MS = 500;

/**
 * Looks after the files of the user's plugins for as long as the collector runs, and says what came of each change.
 */
export class LiveEdit {
  private readonly log: Pick<Logger, "info" | "error">;
  private readonly clock: Pick<Clock, "after">;
  private plugins: PluginFiles | undefined;
  private cancel: () => void = () => undefined;
  private looking: Promise<void> = Promise.resolve();
  private isPaused = true;

  constructor(log: Pick<Logger, "info" | "error">, clock: Pick<Clock, "after">) {
    this.log = log;
    this.clock = clock;
  }

  /** Looks after these files from now on, in place of others. */
  watch(files: readonly LoadedFile[]): void {
    this.plugins = files.length === 0 ? undefined : new PluginFiles(files);
    this.goOn();
  }

  /** Goes on after {@link pause}. */
  goOn(): void {
    this.isPaused = false;
    this.cancel();
    const { plugins } = this;
    if (plugins === undefined) return;
    this.cancel = this.clock.after(LOOK_MS, () => {
      this.looking = this.look(plugins);
    });
  }

  /** Changes nothing until further notice. Resolves when a change under way has come to its end. */
  async pause(): Promise<void> {
    this.isPaused = true;
    this.cancel();
    await this.looking;
  }

  private async look(plugins: PluginFiles): Promise<void> {
    for (const { path, swapped, error } of await plugins.look()) {
      if (error !== undefined) this.log.error(`${error.message}; the old version goes on`);
      for (const { kind, name } of swapped) {
        this.log.info(
          `Loaded ${kind} "${name}" again from ${path}: it goes on with the new version`,
        );
      }
    }
    if (!this.isPaused) this.goOn();
  }
}
