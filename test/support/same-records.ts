import { describe, expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { Collector } from "./binary.ts";
import { TempFolder } from "./temp-folder.ts";

/**
 * One configuration and what Fluent Bit 5.1.1 makes of it: the expectations were observed there. YAML comes
 * in pieces, at any indentation.
 */
export interface CompatibilityCase {
  readonly name: string;
  /** The file that is read: its lines, or the whole of it. */
  readonly input: readonly string[] | string | Uint8Array;
  /** More options of the input. */
  readonly tail?: string;
  /** More sections of the configuration, such as parsers. */
  readonly sections?: string;
  readonly filters?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Other files, by name. */
  readonly files?: Readonly<Record<string, string>>;
  /** The records; `date` is looked at where it is given, and "now" is any recent time. */
  readonly records?: readonly Readonly<Record<string, unknown>>[];
  /** In place of the records: the tag and content of each, as the output `stdout` prints them, in any order. */
  readonly lines?: readonly string[];
}

/** Runs every case through the compiled program. */
export function sameRecords(subject: string, cases: readonly CompatibilityCase[]): void {
  describe(`${subject}: the same records as Fluent Bit`, () => {
    test.each(cases.map((item) => [item.name, item] as const))("%s", async (_, item) => {
      using folder = new TempFolder();
      write(folder, "in.log", contentOf(item.input));
      write(folder, "config.yaml", configurationOf(item));
      for (const [name, text] of Object.entries(item.files ?? {})) write(folder, name, text);
      await using collector = await Collector.run(["-q", "-c", "config.yaml"], {
        cwd: folder.path,
        env: { TZ: "UTC", ...item.env },
      });
      expect(collector.stderr).toBe("");
      if (item.lines !== undefined) {
        expect(tagsAndBodies(collector.lines)).toEqual([...item.lines].sort());
      } else expect(readRecords(collector.lines)).toEqual([...item.records ?? []]);
    });
  });
}

function contentOf(input: CompatibilityCase["input"]): string | Uint8Array {
  return Array.isArray(input) ? `${input.join("\n")}\n` : input as string | Uint8Array;
}

function write(folder: TempFolder, name: string, content: string | Uint8Array): void {
  mkdirSync(dirname(folder.at(name)), { recursive: true });
  writeFileSync(folder.at(name), content);
}

function configurationOf({ tail, sections, filters, records, lines }: CompatibilityCase): string {
  const withDate = records?.some((record) => "date" in record);
  return [
    "service: { flush: 0.1 }",
    indented(sections, 0),
    "pipeline:",
    "  inputs:",
    "    - name: tail",
    "      path: in.log",
    "      read_from_head: on",
    "      exit_on_eof: on",
    ...(/^\s*tag:/m.test(tail ?? "") ? [] : ["      tag: t"]),
    indented(tail, 6),
    ...(filters === undefined ? [] : ["  filters:", indented(filters, 4)]),
    "  outputs:",
    "    - name: stdout",
    "      match: '*'",
    `      format: ${lines === undefined ? "json_lines" : "msgpack"}`,
    ...(withDate ? [] : ["      json_date_key: off"]),
    "",
  ].join("\n");
}

/** The piece moved as a whole, so that its first line stands at `column`. */
function indented(piece: string | undefined, column: number): string {
  const lines = (piece ?? "").split("\n").filter((line) => line.trim() !== "");
  const before = /^ */.exec(lines[0] ?? "")![0].length;
  return lines.map((line) => " ".repeat(column) + line.slice(before)).join("\n");
}

/** Whole numbers that a double does not hold become `bigint`. */
function readRecords(lines: readonly string[]): unknown[] {
  const nowSec = Date.now() / 1000;
  return lines.map((line) =>
    JSON.parse(line, (key, value: unknown, context?: { source?: string }) => {
      if (typeof value !== "number") return value;
      if (key === "date" && Math.abs(value - nowSec) < 3600) return "now";
      const source = context?.source ?? "";
      return /^-?\d+$/.test(source) && !Number.isSafeInteger(value) ? BigInt(source) : value;
    })
  );
}

/** Without the number and time in front: `[0] tag: [[12.5, {}], {"a"=>1}]` is `tag {"a"=>1}`. */
function tagsAndBodies(lines: readonly string[]): string[] {
  return lines.map((line) => line.replace(/^\[\d+\] (.*?): \[\[[\d.]+, \{\}\], (.*)\]$/s, "$1 $2"))
    .sort();
}
