import type { BunPlugin } from "bun";

/** Translations of zod's messages: a third of zod, and nobody reads the collector in Breton. */
const LOCALES = /zod\/v4\/locales\/index\.js$/;
/**
 * What oniguruma-to-es tries out when it is loaded, to learn about the engine. JavaScriptCore takes 40 ms for this
 * one, a third of the whole start, and the answer is always the same for the pinned runtime: a test asks it again.
 */
export const PROBE = 'new globalRegExp("[[^a]]", "v").test("a")';
export const PROBE_ANSWER = false;
const TRANSLATOR = /oniguruma-to-es\/dist\/esm\/index\.js$/;

/** Leaves out what dependencies bring and the collector does not need. */
export const leanDependencies: BunPlugin = {
  name: "lean-dependencies",
  setup(build) {
    build.onLoad({ filter: LOCALES }, () => ({
      contents: 'export { default as en } from "./en.js";',
      loader: "js",
    }));
    build.onLoad({ filter: TRANSLATOR }, async ({ path }) => {
      const text = await Bun.file(path).text();
      if (!text.includes(PROBE)) {
        throw new Error(`Cannot build: ${path} has no ${PROBE} any more, see ${import.meta.file}`);
      }
      return { contents: text.replace(PROBE, String(PROBE_ANSWER)), loader: "js" };
    });
  },
};
