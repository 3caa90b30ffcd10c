import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const SOURCES = join(import.meta.dir, "../../go-plugins");
/** The first build compiles Go's own library. */
const BUILD_MS = 300_000;

/** Where Go is, if it is. */
export const GO: string | undefined = Bun.which("go") ??
  ["/usr/local/go/bin/go", "/usr/lib/go/bin/go"].find((path) => existsSync(path));

/** For `test.skipIf`: says once why tests of Go plugins are left out. */
export const withoutGo: boolean = GO === undefined || Bun.which("gcc") === null;
if (withoutGo) {
  console.warn("Tests of Go plugins are skipped: they need go and gcc (scripts/install-go.sh)");
}

let folder: string | undefined;
const built = new Map<string, Promise<string>>();

/** For `afterAll` of every file that uses {@link goPlugin}. */
export function removeGoPlugins(): void {
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  folder = undefined;
  built.clear();
}

/** Builds a plugin of `test/go-plugins` once, with these variables set, and returns the path of the library. */
export function goPlugin(
  name: string,
  set: Readonly<Record<string, string>> = {},
): Promise<string> {
  const key = JSON.stringify([name, set]);
  const known = built.get(key) ?? build(name, set, built.size);
  built.set(key, known);
  return known;
}

async function build(
  name: string,
  set: Readonly<Record<string, string>>,
  number: number,
): Promise<string> {
  folder ??= mkdtempSync(join(tmpdir(), "logcollector-go-"));
  const path = join(folder, `${number}-${name}.so`);
  const settings = Object.entries(set).map(([key, value]) => `-X main.${key}=${value}`).join(" ");
  const go = Bun.spawn(
    [GO!, "build", "-buildmode=c-shared", "-ldflags", settings, "-o", path, `./${name}`],
    {
      cwd: SOURCES,
      env: { ...process.env, CGO_ENABLED: "1" },
      stdout: "ignore",
      stderr: "pipe",
      timeout: BUILD_MS,
    },
  );
  const text = await go.stderr.text();
  if (await go.exited !== 0) throw new Error(`Cannot build ${name}: ${text}`);
  return path;
}
