import { afterAll, expect, setDefaultTimeout, test } from "bun:test";
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { goPlugin, removeGoPlugins, withoutGo } from "../hosts/go/go-plugins.ts";
import { BINARY } from "../support/binary.ts";
import { TempFolder } from "../support/temp-folder.ts";

// What ends a test that waits in vain are the deadlines of what it waits for.
setDefaultTimeout(60_000);

afterAll(removeGoPlugins);

const mayChangeRoot = process.getuid?.() === 0 && Bun.which("unshare") !== null;
if (!mayChangeRoot) console.warn("Skipped: a root folder of its own takes root and unshare");

/** The libraries that a program is loaded with. */
function librariesOf(program: string): string[] {
  const { stdout } = Bun.spawnSync(["ldd", program]);
  return [...stdout.toString().matchAll(/(\/\S+\.so\S*) \(/g)].map(([, path]) => path!);
}

test.skipIf(withoutGo || !mayChangeRoot)(
  "a Go plugin runs where nothing is installed: no compiler, no header, no library to link with",
  async () => {
    using root = new TempFolder();
    const plugin = await goPlugin("out_records");
    for (const path of new Set([BINARY, plugin].flatMap(librariesOf))) {
      mkdirSync(root.at(dirname(path)), { recursive: true });
      copyFileSync(path, root.at(path));
    }
    for (const folder of ["proc", "dev", "tmp", "app"]) mkdirSync(root.at(folder));
    writeFileSync(root.at("dev/null"), "");
    copyFileSync(BINARY, root.at("app/logcollector"));
    copyFileSync(plugin, root.at("app/out_records.so"));
    writeFileSync(
      root.at("app/config.yaml"),
      `plugins: ./out_records.so
pipeline:
  inputs: [{name: stdin, tag: t}]
  outputs: [{name: records, match: '*', path: /tmp/out.jsonl}]
`,
    );
    const script = `mount -t proc proc "$0/proc" && mount --bind /dev/null "$0/dev/null" &&
      exec chroot "$0" /app/logcollector -c /app/config.yaml`;
    const run = Bun.spawn(["unshare", "-m", "sh", "-c", script, root.path], {
      stdin: new TextEncoder().encode('{"n":1}\n'),
      stdout: "ignore",
      stderr: "pipe",
    });
    const said = await new Response(run.stderr).text();
    expect([await run.exited, existsSync(root.at("tmp/out.jsonl")) ? "" : said]).toEqual([0, ""]);
    expect(JSON.parse(readFileSync(root.at("tmp/out.jsonl"), "utf8"))).toMatchObject({
      tag: "t",
      record: { n: 1 },
    });
  },
  120_000,
);
