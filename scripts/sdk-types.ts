// Writes the types of the SDK: dist/sdk, an npm package of types alone, and one file for folders without npm.
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, normalize, relative } from "node:path";
import { BUN_TEST_TYPES } from "./bun-test-types.ts";

const PACKAGE_FOLDER = "dist/sdk";
// Two builds at once do not meet here.
const EMITTED = `dist/embedded/declarations-${process.pid}`;
/** What a plugin imports, and where its types begin. */
const ROOTS: Readonly<Record<string, string>> = {
  "logcollector/plugin": `${EMITTED}/sdk/mod.d.ts`,
  "logcollector/testing": `${EMITTED}/testing/mod.d.ts`,
  "zod": "node_modules/zod/index.d.ts",
};

/** Writes the package, and the types as one file to `path`. */
export function writeSdkTypes(path: string): void {
  emitDeclarations();
  writePackage();
  writeFileSync(path, oneFile());
  rmSync(EMITTED, { recursive: true });
}

function emitDeclarations(): void {
  rmSync(EMITTED, { recursive: true, force: true });
  mkdirSync(EMITTED, { recursive: true });
  const project = join(EMITTED, "tsconfig.json");
  const up = relative(EMITTED, ".");
  writeFileSync(
    project,
    JSON.stringify({
      extends: `${up}/tsconfig.json`,
      compilerOptions: {
        // Types are checked elsewhere, and everything at once.
        noCheck: true,
        noEmit: false,
        declaration: true,
        emitDeclarationOnly: true,
        outDir: ".",
        rootDir: `${up}/src`,
        paths: {},
      },
      include: [],
      files: [`${up}/src/sdk/mod.ts`, `${up}/src/testing/mod.ts`],
    }),
  );
  const tsc = Bun.spawnSync(["node_modules/.bin/tsc", "-p", project]);
  if (existsSync(ROOTS["logcollector/testing"]!)) return;
  throw new Error(`Cannot make the SDK's types: ${tsc.stdout}${tsc.stderr}`);
}

function writePackage(): void {
  const { version, license } = JSON.parse(readFileSync("package.json", "utf8"));
  const zod = JSON.parse(readFileSync("node_modules/zod/package.json", "utf8")).version;
  rmSync(PACKAGE_FOLDER, { recursive: true, force: true });
  for (const file of reachable([ROOTS["logcollector/plugin"]!, ROOTS["logcollector/testing"]!])) {
    if (!file.startsWith(EMITTED)) continue;
    const to = join(PACKAGE_FOLDER, relative(EMITTED, file));
    mkdirSync(dirname(to), { recursive: true });
    const text = withSpecifiers(file, (specifier) => specifier.replace(/\.ts$/, ".js"));
    writeFileSync(to, text);
  }
  const entry = (folder: string) => ({ types: `./${folder}/mod.d.ts` });
  writeFileSync(
    join(PACKAGE_FOLDER, "package.json"),
    `${
      JSON.stringify(
        {
          name: "logcollector",
          version,
          description: "Types for plugins of logcollector",
          license,
          type: "module",
          exports: { "./plugin": entry("sdk"), "./testing": entry("testing") },
          // A few types are the runtime's: Buffer, the options of TLS.
          dependencies: { "zod": zod, "@types/node": "*" },
        },
        null,
        2,
      )
    }\n`,
  );
  copyFileSync("LICENSE", join(PACKAGE_FOLDER, "LICENSE"));
  writeFileSync(join(PACKAGE_FOLDER, "README.md"), README);
}

const README = `# logcollector

The types of \`logcollector/plugin\` and \`logcollector/testing\`, for editors and type checkers. There is no code in this
package: when a plugin runs, or its tests do with \`logcollector plugin test\`, the collector gives it its own.

\`\`\`sh
npm install --save-dev logcollector zod
\`\`\`

Without npm, \`logcollector plugin types\` writes the same types as one file beside the plugin.
`;

/** All types that a plugin sees, as ambient modules: no package has to be installed for them. */
function oneFile(): string {
  const names = new Map(Object.entries(ROOTS).map(([name, file]) => [file, name]));
  const { version } = JSON.parse(readFileSync("package.json", "utf8"));
  const modules = reachable(Object.values(ROOTS)).map((file) => {
    const text = withSpecifiers(file, (_, target) => moduleName(target, names))
      .replace(/^\/\/#.*\n/gm, "")
      .replace(/^export declare /gm, "export ")
      .replace(
        /^declare (?=const|let|var|function|class|abstract|enum|type|interface|namespace)/gm,
        "",
      );
    return `declare module "${moduleName(file, names)}" {\n${text.trimEnd()}\n}\n`;
  });
  return `// Types for plugins of logcollector ${version}, and of zod, for editors. Written by "logcollector plugin types",
// which also brings it up to date; changes are lost. Nothing reads it when the plugin runs.

${BUN_TEST_TYPES}
// Without their own types, modules of the runtime can be imported all the same.
declare module "node:*";

${modules.join("\n")}`;
}

function moduleName(file: string, names: ReadonlyMap<string, string>): string {
  const root = names.get(file);
  if (root !== undefined) return root;
  const path = file.replace(/\.d\.ts$/, "").replace(/\/index$/, "");
  return path.startsWith("node_modules/")
    ? path.slice("node_modules/".length)
    : `logcollector/internal/${relative(EMITTED, path)}`;
}

const SPECIFIER = /(\bfrom |\bimport\(|\bimport )"([^"\n]+)"/g;

/** The files with these types and all that they import, each once. */
function reachable(roots: readonly string[]): string[] {
  const found = new Set<string>();
  const visit = (file: string) => {
    if (found.has(file)) return;
    found.add(file);
    for (const [, , specifier] of readFileSync(file, "utf8").matchAll(SPECIFIER)) {
      const target = resolveTypes(specifier!, file);
      if (target !== undefined) visit(target);
    }
  };
  roots.forEach(visit);
  return [...found];
}

/** A file's text with the specifiers of the files that come along replaced. */
function withSpecifiers(
  file: string,
  replace: (specifier: string, target: string) => string,
): string {
  return readFileSync(file, "utf8").replace(SPECIFIER, (whole, before, specifier) => {
    const target = resolveTypes(specifier, file);
    return target === undefined ? whole : `${before}"${replace(specifier, target)}"`;
  });
}

/** The declarations that a specifier leads to; `undefined` for a module of the runtime, or an example in a comment. */
function resolveTypes(specifier: string, from: string): string | undefined {
  if (Object.hasOwn(ROOTS, specifier)) return ROOTS[specifier];
  const path = specifier.startsWith(".")
    ? normalize(join(dirname(from), specifier))
    : join("node_modules", specifier);
  const stem = path.replace(/\.(?:d\.)?[jt]s$/, "");
  return [`${stem}.d.ts`, `${stem}/index.d.ts`].find((file) =>
    existsSync(file) && statSync(file).isFile()
  );
}
