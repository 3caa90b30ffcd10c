import { expect, setDefaultTimeout, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { Collector, type StartOptions } from "../support/binary.ts";
import { TempFolder } from "../support/temp-folder.ts";

// What ends a test that waits in vain are the deadlines of what it waits for.
setDefaultTimeout(60_000);

/** The program, reading its standard input and printing every record as a line of JSON. */
function start(folder: TempFolder, options: StartOptions, input: object = {}): Collector {
  const config = {
    service: { flush: 0.1 },
    pipeline: {
      inputs: [{ name: "stdin", tag: "t", ...input }],
      outputs: [{ name: "stdout", match: "*", format: "json_lines" }],
    },
  };
  writeFileSync(folder.at("config.yaml"), JSON.stringify(config));
  return new Collector(["-c", folder.at("config.yaml")], options);
}

const bodies = (collector: Collector) => collector.records.map(({ date: _, ...body }) => body);

test("stdin takes JSON objects and lines, and the program ends with its input", async () => {
  using folder = new TempFolder();
  const stdin = '{"a":1}{"b":{"c":"ü"}}\n{\n"d":\n2}\nplain text\n[1700000000.25, {"e":5}]\nend';
  await using collector = start(folder, { stdin });
  expect(await collector.exit()).toBe(0);
  expect(bodies(collector)).toEqual([
    { a: 1 },
    { b: { c: "ü" } },
    { d: 2 },
    { log: "plain text" },
    { e: 5 },
    { log: "end" },
  ]);
  expect(collector.records[4]!.date).toBe(1700000000.25);
}, 20_000);

test("stdin takes each line as it comes, and a stop does not wait for the next", async () => {
  using folder = new TempFolder();
  await using collector = start(folder, { interactive: true });
  collector.type("one\n");
  await collector.untilRecords(1);
  collector.type("two\n");
  await collector.untilRecords(2);
  expect(await collector.stop()).toBe(0);
  expect(bodies(collector)).toEqual([{ log: "one" }, { log: "two" }]);
}, 20_000);

test("stdin reads many megabytes in order", async () => {
  using folder = new TempFolder();
  const lines = Array.from({ length: 200_000 }, (_, i) => `line number ${i}`);
  await using collector = start(folder, { stdin: lines.join("\n") });
  expect(await collector.exit()).toBe(0);
  expect(collector.records.map((record) => record.log)).toEqual(lines);
}, 20_000);
