import { expect, test } from "bun:test";
import { OutputLines } from "../../../src/hosts/go/output-lines.ts";
import { testContext } from "../../support/context.ts";

async function* chunks(...texts: (string | Uint8Array)[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield typeof text === "string" ? Buffer.from(text) : text;
}

test("lines are passed on one by one, whatever pieces they come in", async () => {
  const { log, logged } = testContext();
  const lines = new OutputLines();
  lines.to(log);
  const [first, second] = [Buffer.from("é").subarray(0, 1), Buffer.from("é").subarray(1)];
  await lines.read(
    chunks("a", "b\nc\n\n", first, second, "\n\x1f1bad\n\x1f4detail\nlast \x1b[31m"),
  );
  expect(logged).toEqual([
    { level: "info", message: "ab" },
    { level: "info", message: "c" },
    { level: "info", message: "é" },
    { level: "error", message: "bad" },
    { level: "debug", message: "detail" },
    { level: "info", message: "last \\x1b[31m" },
  ]);
});

test("long lines are cut, and a flood is counted", async () => {
  const { log, logged } = testContext();
  const lines = new OutputLines();
  lines.to(log);
  const long = "x".repeat(100_000);
  await lines.read(chunks(long, long, "\nnext\n", "y\n".repeat(5000)));
  expect(logged[0]?.message).toBe(`${"x".repeat(4096)} … (cut)`);
  expect(logged[1]?.message).toBe("next");
  expect(logged.length).toBeLessThan(1000);
  const leftOut = logged.reduce(
    (sum, { message }) => sum + Number(/printed (\d+) more lines/.exec(message)?.[1] ?? 0),
    0,
  );
  expect(leftOut + logged.filter(({ message }) => message === "y").length).toBe(5000);
});

test("what was printed early waits for somebody who wants it", async () => {
  const { log, logged } = testContext();
  const lines = new OutputLines();
  await lines.read(chunks("one\n", "two\n"));
  expect(lines.lastWords).toBe("one | two");
  lines.to(log);
  expect(logged.map(({ message }) => message)).toEqual(["one", "two"]);
});

test("the last words are those of a panic, not of its trace", async () => {
  const lines = new OutputLines();
  await lines.read(
    chunks("ready\npanic: no more\n\ngoroutine 1 [running]:\nmain.f()\n\t/x.go:1\n"),
  );
  expect(lines.lastWords).toBe("panic: no more");
});
