import { expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { BINARY } from "../support/binary.ts";
import { TempFolder } from "../support/temp-folder.ts";

const UNIT = "config/systemd/logcollector.service";

const withoutAnalyze = Bun.which("systemd-analyze") === null;
if (withoutAnalyze) console.warn("Skipping the analysis of the unit: systemd-analyze is missing");

function analyze(...args: readonly string[]): { status: number | null; text: string } {
  const { status, stdout, stderr } = spawnSync("systemd-analyze", args, { encoding: "utf8" });
  return { status, text: stdout + stderr };
}

test.skipIf(withoutAnalyze)("systemd has nothing to say against the unit", () => {
  using folder = new TempFolder();
  const path = folder.at("logcollector.service");
  writeFileSync(path, readFileSync(UNIT, "utf8").replace("/usr/bin/logcollector", BINARY));
  expect(analyze("verify", path)).toEqual({ status: 0, text: "" });
});

test.skipIf(withoutAnalyze)("the unit's exposure is below 3.0", () => {
  const { status, text } = analyze("security", "--offline=true", "--threshold=29", UNIT);
  expect(text).toMatch(/Overall exposure level for logcollector.service: [012]\.\d OK/);
  expect(status).toBe(0);
});

test("the unit leaves the runtime its compiler", () => {
  const settings = readFileSync(UNIT, "utf8").split("\n").filter((line) => !line.startsWith("#"));
  expect(settings.filter((line) => line.startsWith("Memory"))).toEqual([]);
});
