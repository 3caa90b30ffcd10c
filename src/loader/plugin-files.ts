import { existsSync, readFileSync, realpathSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import type { PluginDefinition } from "../sdk/define.ts";
import { forgetUserModules } from "./import-plugin.ts";
import type { LivePlugin } from "./live-plugin.ts";
import { loadDefinitions, type UserPluginRequest } from "./user-plugins.ts";

/** One file of the user's whose plugins can be exchanged while they run. */
export interface LiveFile {
  readonly request: UserPluginRequest;
  readonly plugins: readonly LivePlugin[];
}

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

  constructor(files: readonly LiveFile[]) {
    this.files = files.map((file) => {
      const stamp = stampOf(file);
      return { file, stamp, loaded: stamp, content: contentOf(file) };
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
      const stamp = stampOf(file);
      const lasts = stamp === watched.stamp;
      watched.stamp = stamp;
      if (!lasts || stamp === watched.loaded || stamp === undefined) continue;
      watched.loaded = stamp;
      const content = contentOf(file);
      if (content === watched.content) continue;
      watched.content = content;
      changes.push(await exchange(file));
      // The new code may import other modules.
      watched.stamp = watched.loaded = stampOf(file);
      watched.content = contentOf(file);
    }
    return changes;
  }
}

interface Watched {
  readonly file: LiveFile;
  /** As of the last look, and as of the last load. */
  stamp: string | undefined;
  loaded: string | undefined;
  content: string | undefined;
}

/**
 * The plugin's file, and what it has imported from its folder. Where the plugin is a link, its modules are
 * looked for beside the link: that is where a change of all of them shows.
 */
function modulesOf({ request }: LiveFile): readonly string[] {
  const path = resolve(request.path);
  const below = `${dirname(realpathSync(path))}/`;
  const imported = Object.keys(require.cache).filter((each) =>
    each.startsWith(below) && !each.includes("/node_modules/")
  );
  const beside = imported.map((each) => {
    const linked = join(dirname(path), each.slice(below.length));
    return existsSync(linked) ? linked : each;
  });
  return [...new Set([path, ...beside.sort()])];
}

/** What tells without reading that nothing has changed; `undefined` while a file is gone. */
function stampOf(file: LiveFile): string | undefined {
  try {
    return modulesOf(file).map((path) => {
      const { ino, mtimeMs, size } = statSync(path);
      return `${path} ${ino} ${mtimeMs} ${size}`;
    }).join("\n");
  } catch {
    return undefined;
  }
}

function contentOf(file: LiveFile): string | undefined {
  const hash = new Bun.CryptoHasher("sha1");
  try {
    for (const path of modulesOf(file)) hash.update(path).update(readFileSync(path));
    return hash.digest("hex");
  } catch {
    return undefined;
  }
}

async function exchange({ request, plugins }: LiveFile): Promise<LiveChange> {
  const { path } = request;
  try {
    forgetUserModules(dirname(realpathSync(path)));
    const definitions = await loadDefinitions(request);
    const pairs = plugins.map((plugin) => {
      const { kind, name } = plugin.definition;
      const next = definitions.find((each) => each.kind === kind && each.name === name);
      if (next === undefined) {
        throw new Error(`Cannot load ${path}: it has no ${kind} "${name}" any more`);
      }
      return { plugin, next };
    });
    for (const { plugin, next } of pairs) await plugin.swap(next);
    return { path, swapped: pairs.map(({ next }) => next), error: undefined };
  } catch (error) {
    return { path, swapped: [], error: error as Error };
  }
}
