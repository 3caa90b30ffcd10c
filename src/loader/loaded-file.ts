import { existsSync, readFileSync, realpathSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import type { PluginDefinition } from "../sdk/define.ts";
import { forgetUserModules } from "./import-plugin.ts";
import {
  loadDefinitions,
  type LoadedPlugin,
  loadUserPlugins,
  type UserPluginRequest,
} from "./user-plugins.ts";

/** One file of the user's that plugins were loaded from, which can be exchanged while they run. */
export class LoadedFile {
  readonly request: UserPluginRequest;
  private loaded: readonly LoadedPlugin[];
  /** What the code that runs was made of: files, and a digest of what they held. */
  private content: { readonly paths: readonly string[]; readonly digest: string | undefined };
  /** The files of other plugins, which are nobody's modules. */
  private others: ReadonlySet<string> = new Set();

  private constructor(request: UserPluginRequest, loaded: readonly LoadedPlugin[]) {
    this.request = request;
    this.loaded = loaded;
    this.content = { paths: [], digest: undefined };
  }

  /** Loads the file. `isFresh`: it, and what it imports, was loaded before and may have changed. See {@link loadUserPlugins}. */
  static async load(request: UserPluginRequest, isFresh = false): Promise<LoadedFile> {
    if (isFresh) forgetUserModules(dirname(realPathOf(request.path)));
    return new LoadedFile(request, await loadUserPlugins(request));
  }

  get plugins(): readonly LoadedPlugin[] {
    return this.loaded;
  }

  /** Remembers what the code that runs was made of. Call it once all files of a configuration have been loaded. */
  noteContent(all: Iterable<LoadedFile>): void {
    const others = [...all].filter((file) => file !== this).map(({ request }) => request.path);
    this.others = new Set(others.flatMap((path) => [resolve(path), realPathOf(path)]));
    this.rememberContent();
  }

  private rememberContent(): void {
    const paths = this.imported.filter((path) => !this.others.has(path));
    this.content = { paths, digest: digestOf(paths) };
  }

  /** True when the files that the running code was made of still hold it, and the request is for the same. */
  isUpToDateFor(request: UserPluginRequest): boolean {
    const same = (key: keyof UserPluginRequest) => request[key] === this.request[key];
    const { paths, digest } = this.content;
    return REQUEST_KEYS.every(same) && digest !== undefined && digestOf(paths) === digest;
  }

  /**
   * The plugin's file, and what was imported from its folder, by the code that runs or since. Where the plugin is a
   * link, its modules are looked for beside the link: that is where a change of all of them shows.
   */
  get modules(): readonly string[] {
    // To load another plugin from the folder afresh makes the runtime forget what this one has imported.
    const known = this.content.paths.filter((path) => existsSync(path));
    return [...new Set([...this.imported, ...known])];
  }

  private get imported(): readonly string[] {
    const path = resolve(this.request.path);
    if (!existsSync(path)) return [path];
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

  /** Loads the file again, and exchanges its plugins for the new ones. Throws an Error, and then nothing has changed. */
  async exchange(): Promise<readonly PluginDefinition[]> {
    const { path } = this.request;
    forgetUserModules(dirname(realpathSync(resolve(path))));
    const definitions = await loadDefinitions(this.request);
    const pairs = this.loaded.flatMap(({ live }) => {
      if (live === undefined) return [];
      const { kind, name } = live.definition;
      const next = definitions.find((each) => each.kind === kind && each.name === name);
      if (next === undefined) {
        throw new Error(`Cannot load ${path}: it has no ${kind} "${name}" any more`);
      }
      return [{ live, next }];
    });
    for (const { live, next } of pairs) await live.swap(next);
    this.loaded = this.loaded.map((plugin) => ({
      ...plugin,
      definition: plugin.live?.definition ?? plugin.definition,
    }));
    this.rememberContent();
    return pairs.map(({ next }) => next);
  }
}

const REQUEST_KEYS = ["path", "sha256", "isolation", "memory_limit", "mayBeEmpty"] as const;

function realPathOf(path: string): string {
  return existsSync(path) ? realpathSync(resolve(path)) : resolve(path);
}

/** What tells without reading that nothing has changed; `undefined` while a file is gone. */
export function stampOf(paths: readonly string[]): string | undefined {
  try {
    return paths.map((path) => {
      const { ino, mtimeMs, size } = statSync(path);
      return `${path} ${ino} ${mtimeMs} ${size}`;
    }).join("\n");
  } catch {
    return undefined;
  }
}

export function digestOf(paths: readonly string[]): string | undefined {
  const hash = new Bun.CryptoHasher("sha1");
  try {
    for (const path of paths) hash.update(path).update(readFileSync(path));
    return hash.digest("hex");
  } catch {
    return undefined;
  }
}
