import { describe, expect, test } from "bun:test";
import { parse } from "yaml";
import { docs } from "../../src/cli/docs.ts";
import { help } from "../../src/cli/help.ts";
import { plugins } from "../../src/cli/plugins.ts";
import { schema } from "../../src/cli/schema.ts";
import { version } from "../../src/cli/version.ts";
import { parserSchemas, registry, tailWith } from "../config/support.ts";
import { accepts } from "./json-schema-check.ts";

const schemas = { registry, parserSchemas };

/** Runs a command and returns what it wrote and its status. */
function capture(
  command: (io: { stdout(text: string): void; stderr(text: string): void }) => number,
) {
  const written = { out: "", err: "", status: -1 };
  written.status = command({
    stdout: (text) => void (written.out += text),
    stderr: (text) => void (written.err += text),
  });
  return written;
}

describe("plugins", () => {
  test("lists all plugins by kind with their summaries", () => {
    const { out, status } = capture((io) => plugins(undefined, io, schemas));
    expect(status).toBe(0);
    expect(out).toContain(
      "Inputs\n  dummy  Makes records\n  tail   Reads lines of files\n\nFilters\n",
    );
    expect(out).toMatch(/Outputs\n {2}http +Posts records\n/);
  });

  test("shows type, unit, default and description of every option of one", () => {
    const { out, status } = capture((io) => plugins("Tail", io, schemas));
    expect(status).toBe(0);
    expect(out).toStartWith("tail (input): Reads lines of files\n");
    expect(out).toMatch(/^ {2}path +list +required +Files to read$/m);
    expect(out).toMatch(
      /^ {2}buffer_max_size +size \(bytes\) +32768|^ {2}buffer_max_size +size \(bytes\) +32KiB +Longest line$/m,
    );
    expect(out).toMatch(
      /^ {2}refresh_interval +time \(seconds\) +1s +Pause between two searches$/m,
    );
    expect(out).toMatch(/^ {2}read_from_head +boolean +off +/m);
    expect(out).toContain("  buffer_max is another name of buffer_max_size\n");
    expect(out).toMatch(/Options of every input\n[^]*^ {2}mem_buf_limit +size \(bytes\) +0 /m);
    expect(capture((io) => plugins("grep", io, schemas)).out).toMatch(
      /^ {2}regex +KEY REGEX, repeatable +- +Keep$/m,
    );
  });

  test("shows sections too", () => {
    expect(capture((io) => plugins("service", io, schemas)).out)
      .toMatch(/^ {2}flush +time \(seconds\) +1s +How long/m);
  });

  test("suggests a name for one that is not there, with status 2", () => {
    const { err, status } = capture((io) => plugins("tial", io, schemas));
    expect([err, status]).toEqual([
      'logcollector: unknown plugin "tial": did you mean "tail"?\n',
      2,
    ]);
  });
});

describe("schema", () => {
  const { out } = capture((io) => schema(io, schemas));
  const document = JSON.parse(out);
  const valid = (yaml: string) => accepts(document, parse(yaml));

  test("accepts right configurations, in any case and with variables", () => {
    expect(document.$schema).toBe("https://json-schema.org/draft/2020-12/schema");
    expect(valid(tailWith("path: a", "mem_buf_limit: 5M", "read_from_head: On"))).toBe(true);
    expect(valid(tailWith("path: [a, b]", "Tag: x", "buffer_max: 5", "read_from_head: ${X}"))).toBe(
      true,
    );
    expect(valid("service: {Flush: 1, log_level: WARN, http_port: '2020'}\nenv: {A: 1}\n")).toBe(
      true,
    );
    expect(valid("Pipeline: {Inputs: []}\nincludes: [x]\nparsers: [{name: a, format: json}]\n"))
      .toBe(true);
    expect(
      valid(
        "pipeline: {filters: [{name: GREP, match: '*', regex: [a b, c d]}, {name: grep, exclude: a b}]}",
      ),
    ).toBe(true);
    expect(valid("multiline_parsers: [{name: m, rules: [{state: a, regex: b, next_state: c}]}]"))
      .toBe(true);
  });

  test("refuses what the collector refuses", () => {
    expect(valid(tailWith("pathh: a"))).toBe(false);
    expect(valid(tailWith("path: a", "read_from_head: maybe"))).toBe(false);
    expect(valid("pipeline: {inputs: [{name: tial}]}")).toBe(false);
    expect(valid("pipeline: {inputs: [{path: a}]}")).toBe(false);
    expect(valid("pipelin: {}")).toBe(false);
    expect(valid("service: {http_port: many}")).toBe(false);
    expect(valid("service: {log_level: loud}")).toBe(false);
    expect(valid("multiline_parsers: [{name: m, rules: [{stat: a}]}]")).toBe(false);
  });

  test("describes options and their defaults for an editor", () => {
    expect(document.$defs["input.tail"].properties.refresh_interval).toMatchObject({
      description: "Pause between two searches (time, seconds)",
      default: "1s",
    });
  });
});

describe("docs", () => {
  const { out, status } = capture((io) => docs(io, schemas));

  test("has a table for every plugin and section", () => {
    expect(status).toBe(0);
    for (
      const title of ["## service", "## parsers", "## Inputs", "### tail", "### grep", "### http"]
    ) {
      expect(out).toContain(`\n${title}\n`);
    }
    expect(out).toMatch(/^\| `path` +\| list +\| required +\| Files to read +\|$/m);
  });

  test("escapes what would break a table", () => {
    expect(out).toMatch(/^\| `format` +\| msgpack \\\| json_lines +\| `msgpack` +\|/m);
  });

  test("says the same every time", () => {
    expect(capture((io) => docs(io, schemas)).out).toBe(out);
  });
});

test("help names every option of the command line, and version the version", () => {
  const { out, status } = capture(help);
  expect(status).toBe(0);
  for (
    const option of [
      "-c",
      "-D",
      "-i",
      "-F",
      "-o",
      "-p",
      "-t",
      "-m",
      "-f",
      "-R",
      "-q",
      "-v",
      "--dry-run",
    ]
  ) {
    expect(out).toContain(option);
  }
  expect(capture(version).out).toMatch(/^logcollector \d+\.\d+\.\d+\n$/);
});
