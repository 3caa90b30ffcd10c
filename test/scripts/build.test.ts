import { expect, setDefaultTimeout, test } from "bun:test";
import { copyFileSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dropSourceTexts } from "../../scripts/drop-source-texts.ts";
import { PROBE, PROBE_ANSWER } from "../../scripts/lean-dependencies.ts";
import { BINARY, Collector } from "../support/binary.ts";
import { TempFolder } from "../support/temp-folder.ts";

// What ends a test that waits in vain are the deadlines of what it waits for.
setDefaultTimeout(60_000);

/** Hands over what is no batch, in line 9, where nobody catches what comes of it. */
const CARELESS = `import { defineInput } from "logcollector/plugin";
import * as z from "zod";
export default defineInput({
  name: "careless",
  summary: "Hands over what is no batch.",
  config: z.object({}),
  create: (_config, context) => ({
    async run(signal) {
      setTimeout(() => { context.emit(undefined as never); });
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
    },
  }),
});
`;

test("what the build answers for oniguruma-to-es is what the runtime answers", () => {
  const probe = new Function("globalRegExp", `return ${PROBE}`);
  expect(probe(RegExp)).toBe(PROBE_ANSWER);
});

/** As gzip packs it: other implementations differ by up to 5 %. */
function packedSize(path: string): number {
  return Bun.spawnSync(["gzip", "-6"], { stdin: Bun.file(path) }).stdout.length;
}

test("the executable is small enough, and a compact one for a container image", () => {
  expect(statSync(BINARY).size).toBeLessThan(122e6);
  using folder = new TempFolder();
  const compact = folder.at("logcollector");
  const { exitCode, stderr } = Bun.spawnSync([
    ...[process.execPath, "scripts/build.ts", "--compact", "--outfile", compact],
  ]);
  expect([`${stderr}`, exitCode]).toEqual([expect.any(String), 0]);
  expect(statSync(compact).size).toBeLessThan(117e6);
  // 55 MB with the libraries, which are 1.6 MB.
  expect(packedSize(compact)).toBeLessThan(53.3e6);
});

test("the executable holds no source texts, and its stacks have the lines of the sources", async () => {
  const own = readFileSync("src/main.ts", "utf8").split("\n");
  const comment = own.find((line) => line.startsWith("// The composition root"))!;
  expect(readFileSync(BINARY).includes(comment)).toBe(false);
  using folder = new TempFolder();
  await Bun.write(folder.at("careless.ts"), CARELESS);
  await using collector = new Collector([
    ...["-e", folder.at("careless.ts")],
    ...["-i", "careless", "-o", "null", "-m", "*"],
  ]);
  await collector.untilLog("Nothing caught this error");
  const { stack } = collector.log.find(({ message }) => message.startsWith("Nothing caught"))!;
  expect(stack).toMatch(/src\/engine\/[\w-]+\.ts:\d+:\d+/);
  // The user's own line, as it stands in the file.
  expect(stack).toMatch(/careless\.ts:9:\d+/);
});

test("dropSourceTexts refuses a file that is laid out in another way", () => {
  using folder = new TempFolder();
  writeFileSync(folder.at("plain"), "no executable");
  expect(() => dropSourceTexts(folder.at("plain"))).toThrow("Bun's layout has changed");
  // What was done once has nothing left to drop.
  copyFileSync(BINARY, folder.at("again"));
  expect(() => dropSourceTexts(folder.at("again"))).toThrow("no source map has texts");
});
