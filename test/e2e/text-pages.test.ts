import { expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { Collector } from "../support/binary.ts";
import { TempFolder } from "../support/temp-folder.ts";

/** Without small mappings 28 MB are there after the start, with them 14. */
const MOST_FILE_KB = 22_000;

function statusOf(pid: number, field: string): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB`, "m").exec(status)![1]);
}

test("of the executable only what a pipeline runs is in memory", async () => {
  using folder = new TempFolder();
  writeFileSync(folder.at("app.log"), "a line\n".repeat(1000));
  writeFileSync(
    folder.at("config.yaml"),
    `service: { flush: 0.1 }
pipeline:
  inputs: [{ name: tail, path: ${folder.at("app.log")}, read_from_head: on }]
  outputs: [{ name: stdout, match: "*", format: json_lines }]
`,
  );
  await using collector = new Collector(["-c", folder.at("config.yaml")]);
  await collector.untilRecords(1000);
  expect(statusOf(collector.pid, "RssFile")).toBeLessThan(MOST_FILE_KB);
  // Neighbours of small mappings are mappings, too: there are thousands, and many less than the kernel allows.
  const mappings = readFileSync(`/proc/${collector.pid}/maps`, "utf8").split("\n").length;
  expect(mappings).toBeWithin(2000, 20_000);
});
