import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";

const ALL = [...new Bun.Glob("{src,plugins}/**/*.ts").scanSync(".")]
  // The examples' tests stand beside them, as a user's would.
  .filter((file) => !file.endsWith(".test.ts")).sort();
/** Without the kernels: they are a program of their own, in another dialect. */
const FILES = ALL.filter((file) => !file.startsWith("src/kernels/"));

/** Which layers a layer may import; its own is always allowed. */
const LAYERS: Readonly<Record<string, readonly string[]>> = {
  lib: [],
  sdk: ["lib"],
  telemetry: ["lib", "sdk"],
  state: ["lib", "sdk"],
  buffer: ["lib", "sdk"],
  engine: ["sdk", "lib", "buffer"],
  config: ["sdk", "lib"],
  hosts: ["sdk", "lib"],
  testing: ["sdk", "lib"],
  loader: ["sdk", "lib", "plugins", "hosts"],
  admin: ["telemetry", "lib", "sdk"],
  cli: [
    "admin",
    "buffer",
    "config",
    "engine",
    "hosts",
    "lib",
    "loader",
    "plugins",
    "sdk",
    "state",
    "telemetry",
    "testing",
  ],
};

interface Import {
  readonly from: string;
  readonly to: string;
}

function importsOf(file: string): Import[] {
  const text = readFileSync(file, "utf8");
  const found = text.matchAll(/(?:^|\n)\s*(?:import|export)\b[^"';]*?from\s*"([^"]+)"/g);
  const lazy = text.matchAll(/\brequire\(\s*"([^"]+)",?\s*\)/g);
  return [...found, ...lazy].map((match) => ({
    from: file,
    to: match[1]!.startsWith(".") ? normalize(join(dirname(file), match[1]!)) : match[1]!,
  }));
}

const layerOf = (path: string): string => {
  const parts = path.split("/");
  return parts[0] === "plugins" ? "plugins" : parts.length === 2 ? "main" : parts[1]!;
};

const IMPORTS = FILES.flatMap(importsOf);
const LOCAL = IMPORTS.filter(({ to }) => to.startsWith("src/") || to.startsWith("plugins/"));

const MAX_FILE_LINES = 400;
const MAX_FUNCTION_LINES = 70;

/**
 * Functions with their lines. The sources are formatted, so a body ends where the indentation of the line
 * that opens it comes back.
 */
function functionsOf(file: string): { readonly at: string; readonly lines: number }[] {
  const lines = readFileSync(file, "utf8").split("\n");
  return lines.flatMap((line, i) => {
    const opens = /(\)(: .+)?|=>) \{$/.test(line);
    if (!opens || /^\s*(\} )?(if|else|for|while|switch|catch)\b/.test(line)) return [];
    const close = `${/^\s*/.exec(line)![0]}}`;
    const length = lines.slice(i + 1).findIndex((later) => later.startsWith(close)) + 2;
    return [{ at: `${file}:${i + 1}`, lines: length }];
  });
}

describe("layers", () => {
  test("a layer imports only those below it", () => {
    const wrong = LOCAL.filter(({ from, to }) => {
      const layer = layerOf(from);
      if (layer === "main" || layer === "plugins" || layer === layerOf(to)) return false;
      return !LAYERS[layer]?.includes(layerOf(to));
    });
    expect(wrong).toEqual([]);
  });

  test("a plugin imports the public SDK, its own folder and packages, nothing else", () => {
    const wrong = IMPORTS.filter(({ from, to }) => {
      if (!from.startsWith("plugins/")) return false;
      if (!to.startsWith("src/") && !to.startsWith("plugins/")) {
        return to.startsWith("logcollector/") && to !== "logcollector/plugin";
      }
      const own = from.split("/").length === 3
        ? from.replace(/\.ts$/, "/")
        : from.split("/").slice(0, 3).join("/") + "/";
      return !to.startsWith(own);
    });
    expect(wrong).toEqual([]);
  });

  test("there are no import cycles", () => {
    const graph = new Map<string, string[]>();
    for (const { from, to } of LOCAL) graph.set(from, [...graph.get(from) ?? [], to]);
    const done = new Set<string>();
    const cycles: string[] = [];
    const visit = (file: string, path: readonly string[]): void => {
      if (path.includes(file)) cycles.push([...path.slice(path.indexOf(file)), file].join(" → "));
      if (done.has(file) || path.includes(file)) return;
      for (const next of graph.get(file) ?? []) visit(next, [...path, file]);
      done.add(file);
    };
    for (const file of FILES) visit(file, []);
    expect(cycles).toEqual([]);
  });

  test("every file is reached from main or is the SDK", () => {
    const reached = new Set<string>();
    const visit = (file: string): void => {
      if (reached.has(file)) return;
      reached.add(file);
      for (const { from, to } of LOCAL) if (from === file) visit(to);
    };
    visit("src/main.ts");
    visit("src/worker.ts");
    visit("src/shard.ts");
    visit("src/sdk/mod.ts");
    visit("src/testing/author-modules.ts");
    visit("src/testing/mod.ts");
    const examples = /^plugins\/examples\//;
    expect(FILES.filter((file) => !reached.has(file) && !examples.test(file))).toEqual([]);
  });
});

describe("files", () => {
  test(`no file is longer than ${MAX_FILE_LINES} lines`, () => {
    const long = ALL.filter((file) =>
      readFileSync(file, "utf8").split("\n").length > MAX_FILE_LINES
    );
    expect(long).toEqual([]);
  });

  test(`no function is longer than ${MAX_FUNCTION_LINES} lines`, () => {
    const functions = ALL.flatMap(functionsOf);
    expect(functions.length).toBeGreaterThan(1000);
    expect(functions.filter(({ lines }) => lines > MAX_FUNCTION_LINES)).toEqual([]);
  });

  test("engine, buffer and lib get time, output and exit from outside", () => {
    const banned = /\b(Date\.now\(|console\.|process\.(exit|stdout|stderr)|fetch\()/;
    const wrong = FILES.filter((file) => /^src\/(engine|buffer|lib|sdk)\//.test(file)).filter(
      (file) =>
        // A clock must have the time from somewhere, and a client its requests.
        !["src/lib/clock.ts", "src/sdk/http/fast-post.ts"].includes(file) &&
        readFileSync(file, "utf8").split("\n").some((line) =>
          !/^\s*(\/\/|\*|\/\*)/.test(line) && banned.test(line)
        ),
    );
    expect(wrong).toEqual([]);
  });
});
