import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { Collector } from "../support/binary.ts";
import { TempFolder } from "../support/temp-folder.ts";

const THRESHOLD = "BUN_JSC_thresholdForOptimizeAfterWarmUp";

/** The environment that the process was started with. */
function environmentOf(pid: number): string[] {
  return readFileSync(`/proc/${pid}/environ`, "latin1").split("\0");
}

/** A pipeline that prints the environment of a process it starts. */
const PRINTS_ENVIRONMENT = [
  ...[
    "-i",
    "exec",
    "-p",
    "command=env | tr '\\n' ' '",
    "-p",
    "interval_sec=0",
    "-p",
    "interval_nsec=200000000",
  ],
  ...["-o", "stdout", "-m", "*", "-p", "format=json_lines", "-f", "0.05"],
];

test("a run has the engine's options, in the process that was started, and keeps them to itself", async () => {
  await using collector = new Collector(PRINTS_ENVIRONMENT, { env: { MINE: "it's ü" } });
  await collector.untilRecords(1);
  expect(environmentOf(collector.pid)).toContain("BUN_JSC_useFTLJIT=0");
  expect(environmentOf(collector.pid)).toContain(`${THRESHOLD}=200000`);
  expect(collector.stdout).toContain("MINE=it's ü");
  expect(collector.stdout).not.toContain("BUN_JSC");
  expect(readFileSync(`/proc/${collector.pid}/cmdline`, "utf8").split("\0")[2]).toBe("exec");
});

test("options of the engine that somebody has set stay as they are, and no others are added", async () => {
  await using collector = new Collector(PRINTS_ENVIRONMENT, { env: { [THRESHOLD]: "2000" } });
  await collector.untilRecords(1);
  expect(environmentOf(collector.pid)).not.toContain("BUN_JSC_useFTLJIT=0");
  expect(collector.stdout).toContain(`${THRESHOLD}=2000`);
});

test("arguments that are no text, empty ones and such with spaces arrive as they are", async () => {
  using folder = new TempFolder();
  const log = folder.at("a b.log");
  await Bun.write(log, "line\n");
  // A shell, because what Bun starts has text for arguments.
  const shell = `exec "$0" "$@" -p "$(printf 'tag=\\377')"`;
  await using collector = new Collector(
    [
      ...["-o", "stdout", "-m", "*", "-p", "format=json_lines", "-f", "0.05"],
      ...["-i", "tail", "-p", `path=${log}`, "-p", "read_from_head=on", "-p", "exclude_path="],
    ],
    { via: ["/bin/sh", "-c", shell] },
  );
  await collector.untilRecords(1);
  expect(readFileSync(`/proc/${collector.pid}/cmdline`).includes(Buffer.from([0xff, 0]))).toBe(
    true,
  );
});
