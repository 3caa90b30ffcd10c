import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Body } from "logcollector/plugin";
import checklist from "../../../plugins/filters/checklist.ts";
import { makeFilter } from "./filter-driver.ts";

let folder = "";
let file = "";

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "checklist-"));
  file = join(folder, "list.txt");
  writeFileSync(file, "# comment\nfoo\n\nBar Baz\r\n10.0.0.%\na_c\n(x)\n");
});
afterAll(() => rmSync(folder, { recursive: true }));

const texts = ["foo", "bar baz", "foo bar", "10.0.0.77 hi", "abc", "ac", "my foo", "(x) y"];

/** Those of the texts that are found. */
async function found(options: Record<string, unknown>): Promise<string[]> {
  const driver = makeFilter(checklist, { file, record: "hit true", ...options });
  const results = await driver.feed(...texts.map((log) => ({ log })));
  return results.filter((body) => body["hit"] === true).map((body) => String(body["log"]));
}

async function marked(options: Record<string, unknown>, body: Body): Promise<string> {
  return JSON.stringify((await makeFilter(checklist, { file, ...options }).feed(body))[0]);
}

describe("checklist", () => {
  test("exact looks for the whole text", async () => {
    expect(await found({})).toEqual(["foo"]);
    expect(await found({ ignore_case: "on" })).toEqual(["foo", "bar baz"]);
  });

  test("partial looks for a listed start, with the wildcards of LIKE", async () => {
    expect(await found({ mode: "Partial" }))
      .toEqual(["foo", "foo bar", "10.0.0.77 hi", "abc", "(x) y"]);
    expect(await found({ mode: "partial", ignore_case: true })).toContain("bar baz");
  });

  test("record sets texts, booleans and null at the end, replacing fields", async () => {
    const record = ["flag TRUE", "n null", "no false", 'q "quoted words"', "$m['k'] v"];
    expect(await marked({ record }, { flag: 1, log: "foo", x: "keep" })).toBe(
      '{"log":"foo","x":"keep","flag":true,"n":null,"no":false,"q":"quoted words","m":{"k":"v"}}',
    );
  });

  test("lookup_key reaches nested places; only text is looked up", async () => {
    const options = { lookup_key: "$k['v']", record: "hit true" };
    expect(await marked(options, { k: { v: "foo" } })).toContain('"hit":true');
    expect(await marked(options, { k: { v: 5 } })).not.toContain("hit");
    expect(await marked(options, { log: "foo" })).not.toContain("hit");
  });

  test("print_query_time logs what is found", async () => {
    const driver = makeFilter(checklist, { file, record: "a b", print_query_time: true });
    await driver.feed({ log: "foo" }, { log: "nope" });
    expect(driver.ctx.logged.map(({ message }) => message)).toEqual([
      expect.stringMatching(/^Found "foo" in \d+ µs$/),
    ]);
  });

  test("mistakes in options name the option", () => {
    expect(() => makeFilter(checklist, { file: join(folder, "none") })).toThrow("cannot read");
    expect(() => makeFilter(checklist, {})).toThrow("file");
    expect(() => makeFilter(checklist, { file, mode: "fuzzy" })).toThrow("one of exact, partial");
    expect(makeFilter(checklist, { file }).ctx.logged[0]?.message).toContain("record");
  });
});
