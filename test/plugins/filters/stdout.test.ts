import { afterEach, expect, spyOn, test } from "bun:test";
import { Batch } from "logcollector/plugin";
import stdout from "../../../plugins/filters/stdout.ts";
import { makeFilter } from "./filter-driver.ts";

const write = spyOn(process.stdout, "write");
afterEach(() => write.mockReset());

test("stdout prints every record with its number in the batch and passes the batch on", async () => {
  const printed: string[] = [];
  write.mockImplementation((text: unknown, done: unknown) => {
    printed.push(String(text));
    (done as () => void)();
    return true;
  });
  const batch = Batch.of("a.b", [
    { sec: 1795356428, nsec: 847735, body: { log: "x", f: 1.5, n: null } },
    { sec: 1, nsec: 0, body: {}, metadata: { m: [true, -4] } },
  ]);
  expect(await makeFilter(stdout, {}).feedBatch(batch)).toEqual([batch]);
  expect(printed.join("")).toBe(
    '[0] a.b: [1795356428.000847735, {}, {"log"=>"x", "f"=>1.500000, "n"=>nil}]\n' +
      '[1] a.b: [1.000000000, {"m"=>[true, -4]}, {}]\n',
  );
});

test("stdout shows control characters on a terminal instead of passing them to it", async () => {
  let printed = "";
  write.mockImplementation((text: unknown, done: unknown) => {
    printed += String(text);
    (done as () => void)();
    return true;
  });
  const { isTTY } = process.stdout;
  try {
    process.stdout.isTTY = true;
    await makeFilter(stdout, {}).feed({ log: "\x1b[2J" });
  } finally {
    process.stdout.isTTY = isTTY;
  }
  expect(printed).toContain("\\x1b[2J");
  expect(printed).not.toContain("\x1b");
});
