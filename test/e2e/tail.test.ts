import { expect, setDefaultTimeout, test } from "bun:test";
import { appendFileSync, renameSync, writeFileSync } from "node:fs";
import { Collector } from "../support/binary.ts";
import { TempFolder } from "../support/temp-folder.ts";

// What ends a test that waits in vain are the deadlines of what it waits for.
setDefaultTimeout(60_000);

/** The program, tailing with these options and printing every record as a line of JSON. */
function start(folder: TempFolder, options: Record<string, unknown>): Collector {
  const config = {
    service: { flush: 0.1, log_level: "info" },
    pipeline: {
      inputs: [{ name: "tail", tag: "t", ...options }],
      outputs: [{ name: "stdout", match: "*", format: "json_lines" }],
    },
  };
  writeFileSync(folder.at("config.yaml"), JSON.stringify(config));
  return new Collector(["-c", folder.at("config.yaml")]);
}

const logs = (collector: Collector) => collector.records.map((record) => record.log);
const expected = (count: number) => Array.from({ length: count }, (_, i) => `line ${i}`);

test("the program reads files to their end and ends with exit_on_eof", async () => {
  using folder = new TempFolder();
  writeFileSync(folder.at("a.log"), expected(50_000).join("\n"));
  await using collector = start(folder, {
    path: folder.at("*.log"),
    read_from_head: true,
    exit_on_eof: true,
  });
  expect(await collector.exit()).toBe(0);
  expect(logs(collector)).toEqual(expected(50_000));
}, 20_000);

test(
  "the program follows rotations under load and loses nothing when it is asked to stop",
  async () => {
    using folder = new TempFolder();
    const path = folder.at("app.log");
    writeFileSync(path, "line 0\n");
    await using collector = start(folder, { path, read_from_head: true });
    await collector.untilRecords(1);
    let next = 1;
    for (let round = 1; round <= 20; round++) {
      let text = "";
      for (let i = 0; i < 1000; i++) text += `line ${next++}\n`;
      appendFileSync(path, text);
      renameSync(path, folder.at(`app.log.2024-01-${String(round).padStart(2, "0")}`));
      writeFileSync(path, `line ${next++}\n`);
      await Bun.sleep(5);
    }
    await collector.untilRecords(next);
    expect(await collector.stop()).toBe(0);
    expect(logs(collector)).toEqual(expected(next));
  },
  20_000,
);

test("the program delivers what it has read before it ends", async () => {
  using folder = new TempFolder();
  const path = folder.at("a.log");
  writeFileSync(path, "");
  await using collector = start(folder, { path, read_from_head: true });
  await collector.untilLog("started");
  appendFileSync(path, "line 0\n");
  await collector.untilRecords(1);
  appendFileSync(path, "line 1\nline 2\n");
  await Bun.sleep(50);
  expect(await collector.stop()).toBe(0);
  expect(logs(collector)).toEqual(expected(3));
}, 20_000);
