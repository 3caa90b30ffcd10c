import { expect, test } from "bun:test";
import fc from "fast-check";
import { readCriLine } from "../../../src/lib/multiline/cri-line.ts";

const MODEL = /^(.+?) (stdout|stderr) (F|P) (.*)$/s;

function model(line: string): string[] | null {
  return MODEL.exec(line)?.slice(1) ?? null;
}

function read(line: string): string[] | null {
  const found = readCriLine(line);
  return found && [found.time, found.stream, found.part, found.content];
}

test("readCriLine takes the usual lines apart", () => {
  expect(read("2021-02-01T01:40:03.5Z stdout F hello world"))
    .toEqual(["2021-02-01T01:40:03.5Z", "stdout", "F", "hello world"]);
  expect(read("t stderr P ")).toEqual(["t", "stderr", "P", ""]);
  expect(read("t stderr F")).toBeNull();
  expect(read("a b stdout F x")).toEqual(["a b", "stdout", "F", "x"]);
});

test("readCriLine finds what the regular expression finds", () => {
  const word = fc.constantFrom(
    "stdout",
    "stderr",
    "F",
    "P",
    "",
    "x",
    "2021-02-01T01:40:03.5Z",
    "é",
    "\t",
  );
  const line = fc.oneof(
    fc.array(word, { maxLength: 8 }).map((words) => words.join(" ")),
    fc.string({ maxLength: 40 }).filter((text) => !text.includes("\n")),
  );
  fc.assert(
    fc.property(line, (text) => expect(read(text)).toEqual(model(text))),
    { numRuns: 2000 },
  );
});
