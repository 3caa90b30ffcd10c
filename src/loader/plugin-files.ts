import type { PluginDefinition } from "../sdk/define.ts";
import { digestOf, type LoadedFile, stampOf } from "./loaded-file.ts";

/** What a look at the files found. */
export interface LiveChange {
  readonly path: string;
  /** The plugins that go on with new code. */
  readonly swapped: readonly PluginDefinition[];
  /** Why the old code stays, when it does. */
  readonly error: Error | undefined;
}

/**
 * Notices that files of plugins, or modules beside them, have changed, and exchanges the plugins. It looks at
 * what the paths lead to, so a ConfigMap whose `..data` link was changed counts.
 */
export class PluginFiles {
  private readonly files: readonly Watched[];

  constructor(files: readonly LoadedFile[]) {
    this.files = files.map((file) => {
      const stamp = stampOf(file.modules);
      return { file, stamp, loaded: stamp, content: digestOf(file.modules) };
    });
  }

  /**
   * Looks once. A change is taken when it has lasted from one look to the next, so that a file is not read in
   * the middle of being written; one that cannot be loaded is not tried again before it changes again.
   */
  async look(): Promise<LiveChange[]> {
    const changes: LiveChange[] = [];
    for (const watched of this.files) {
      const { file } = watched;
      const stamp = stampOf(file.modules);
      const lasts = stamp === watched.stamp;
      watched.stamp = stamp;
      if (!lasts || stamp === watched.loaded || stamp === undefined) continue;
      watched.loaded = stamp;
      const content = digestOf(file.modules);
      if (content === watched.content) continue;
      watched.content = content;
      changes.push(await exchange(file));
      // The new code may import other modules.
      watched.stamp = watched.loaded = stampOf(file.modules);
      watched.content = digestOf(file.modules);
    }
    return changes;
  }
}

interface Watched {
  readonly file: LoadedFile;
  /** As of the last look, and as of the last load. */
  stamp: string | undefined;
  loaded: string | undefined;
  content: string | undefined;
}

async function exchange(file: LoadedFile): Promise<LiveChange> {
  const { path } = file.request;
  try {
    return { path, swapped: await file.exchange(), error: undefined };
  } catch (error) {
    return { path, swapped: [], error: error as Error };
  }
}
