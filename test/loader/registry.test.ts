import { describe, expect, test } from "bun:test";
import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { describeSchema } from "../../src/config/describe-schema.ts";
import { builtins, registryOf } from "../../src/loader/registry.ts";
import type { PluginDefinition } from "../../src/sdk/define.ts";
import type { PluginKind } from "../../src/sdk/registry.ts";

const FOLDERS: readonly (readonly [PluginKind, string])[] = [
  ["input", "inputs"],
  ["filter", "filters"],
  ["output", "outputs"],
  ["parser", "parsers"],
];
const plugins = import.meta.dir.replace(/test\/loader$/, "plugins");

/** The modules of a folder that define a plugin: `NAME.ts`, or `mod.ts` in a folder `NAME`. */
async function definitionsIn(folder: string): Promise<PluginDefinition[]> {
  const found: PluginDefinition[] = [];
  for (const entry of readdirSync(join(plugins, folder)).sort()) {
    const path = join(plugins, folder, entry);
    const file = statSync(path).isDirectory() ? join(path, "mod.ts") : path;
    if (!existsSync(file)) continue;
    const module = await import(file) as { default?: PluginDefinition };
    if (module.default?.kind !== undefined) found.push(module.default);
  }
  return found;
}

describe("builtins", () => {
  for (const [kind, folder] of FOLDERS) {
    test(`hold every plugin of plugins/${folder}, under its name in any case`, async () => {
      const found = await definitionsIn(folder);
      expect(found.every((definition) => definition.kind === kind)).toBe(true);
      const missing = found.filter(({ name }, i) =>
        builtins.find(kind, name.toUpperCase()) !== found[i] as unknown
      );
      expect(missing.map(({ name }) => name)).toEqual([]);
    });
  }

  test("say what they are, and what each of their options means", () => {
    for (const [kind] of FOLDERS) {
      for (const { name, summary, config } of builtins.list(kind)) {
        expect(`${name}: ${summary}`).toMatch(/^[a-z0-9_]+: .{10,}$/);
        for (const option of describeSchema(config)) {
          expect(`${name} ${option.name}: ${option.description}`).toMatch(/^[^A-Z]+: .{4,}/);
          expect(option.plainZod).toBe(option.parts !== undefined);
        }
      }
    }
  });
});

test("registryOf() refuses two plugins of one kind and name", () => {
  const [first] = builtins.list("parser");
  expect(() => registryOf([first!, first!])).toThrow("the name is taken");
});
