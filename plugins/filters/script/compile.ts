import type { Body } from "logcollector/plugin";

/** What a script is called with besides the record. The object is used again for the next record. */
export interface About {
  readonly tag: string;
  /** Seconds since the Unix epoch, with a fraction. */
  readonly time: number;
}

/** The function that a user wrote; what it returns is checked at every call. */
export type Script = (record: Body, about: About) => unknown;

export interface ScriptPlace {
  /** The file that messages name. */
  readonly path: string;
  /** The line in it on which the code begins, from 1. */
  readonly line: number;
}

let count = 0;

/**
 * Compiles TypeScript to a function. The code becomes a module in memory whose lines are those of the file it
 * stands in, so that every error, also one at run time, names the place. Throws an Error with the reason.
 */
export function compileScript(code: string, { path, line }: ScriptPlace): Script {
  const isModule = /^[ \t]*export\s+default\b/m.test(code);
  const contents = "\n".repeat(line - 1) + (isModule ? code : `export default ${code}`);
  // Two scripts of one file are two modules; what follows the # is not shown.
  const name = `${path}#${++count}`;
  Bun.plugin({
    name,
    setup: (build) => {
      build.module(name, () => ({ contents, loader: "ts" }));
    },
  });
  const exported: unknown = (require(name) as { default?: unknown }).default;
  if (typeof exported === "function") return exported as Script;
  throw new Error(
    `the code is ${
      exported === undefined ? "nothing" : `a ${typeof exported}`
    }, not a function: write (record, {tag, time}) => record`,
  );
}
