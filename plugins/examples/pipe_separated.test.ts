import { expect, test } from "bun:test";
import { conformance, testParser } from "logcollector/testing";
import pipes from "./pipe_separated.ts";

test("a line becomes its columns and pairs", () => {
  const parser = testParser(pipes);
  expect(parser.parse("2024-01-02 03:04:05|INFO|billing|took=12ms user=ann x|paid | twice"))
    .toEqual({
      time: "2024-01-02 03:04:05",
      level: "INFO",
      module: "billing",
      took: "12ms",
      user: "ann",
      message: "paid | twice",
    });
});

test("empty columns are left out, and a line with too few is none", () => {
  const parser = testParser(pipes, { columns: "a,b" });
  expect(parser.parse("|2")).toEqual({ b: "2" });
  expect(parser.parse("just text")).toBeNull();
  expect(testParser(pipes, { columns: "__proto__" }).parse("x")).toHaveProperty("__proto__", "x");
});

for (const { name, run } of conformance(pipes)) test(name, run);
