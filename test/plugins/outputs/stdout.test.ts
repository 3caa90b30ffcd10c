import { expect, test } from "bun:test";
import { Batch } from "logcollector/plugin";
import { Writable } from "node:stream";
import stdout from "../../../plugins/outputs/stdout.ts";
import { escapeControls } from "logcollector/plugin";
import { StandardOutput } from "../../../plugins/outputs/stdout/standard-output.ts";
import { bodies, driveOutput, lines, record } from "./output-driver.ts";

test("stdout writes json_lines with the date first", async () => {
  const output = driveOutput(stdout, { format: "json_lines" });
  expect(await output.text(bodies({ a: 1 }, {}), lines('say "hi"', "é"))).toBe(
    [
      '{"date":1700000000.123457,"a":1}',
      '{"date":1700000000.123457}',
      '{"date":1700000000.123457,"log":"say \\"hi\\""}',
      '{"date":1700000000.123457,"log":"é"}',
      "",
    ].join("\n"),
  );
});

test("stdout writes json as one array a payload, over several batches", async () => {
  const output = driveOutput(stdout, { format: "json", json_date_key: "off" });
  expect(await output.text(bodies({ a: 1 }, { b: [2] }), lines("x", "y"))).toBe(
    '[{"a":1},{"b":[2]},{"log":"x"},{"log":"y"}]\n',
  );
});

test("stdout writes json_stream without anything between records", async () => {
  const output = driveOutput(stdout, { format: "json_stream", json_date_format: "epoch" });
  expect(await output.text(bodies({ a: "\n" }, {}), lines("x", "y"))).toBe(
    '{"date":1700000000,"a":"\\n"}{"date":1700000000}' +
      '{"date":1700000000,"log":"x"}{"date":1700000000,"log":"y"}\n',
  );
});

test("stdout lets a record's own field of the date's name stand", async () => {
  const output = driveOutput(stdout, { format: "json_lines", json_date_key: "log" });
  expect(await output.text(bodies({ log: "mine" }), lines("mine too"))).toBe(
    '{"log":"mine"}\n{"log":"mine too"}\n',
  );
});

test("stdout puts metadata where Fluent Bit does", async () => {
  const output = driveOutput(stdout, { format: "json_lines", json_date_key: "no" });
  const batch = Batch.of("t", [{ ...record({ a: 1 }), metadata: { m: true } }]);
  expect(await output.text(batch)).toBe('{"__internal__":{"log_metadata":{"m":true}},"a":1}\n');
});

test("stdout writes extra fields of raw lines, and big integers", async () => {
  const output = driveOutput(stdout, { format: "json_lines", json_date_key: "off" });
  const raw = {
    key: "log",
    lines: ["x", "y"],
    sec: 1,
    nsec: 0,
    extra: { path: "/a", n: 2n ** 60n },
  };
  expect(await output.text(Batch.ofLines("t", raw))).toBe(
    '{"path":"/a","n":1152921504606846976,"log":"x"}\n' +
      '{"path":"/a","n":1152921504606846976,"log":"y"}\n',
  );
});

test("stdout refuses an unknown format", () => {
  expect(() => driveOutput(stdout, { format: "otlp_json" })).toThrow("otlp_json");
});

test("escapeControls() leaves nothing for a terminal to obey but tabs and newlines", () => {
  expect(escapeControls("\x1b[31mred\x07\tx\n\x9b")).toBe("\\x1b[31mred\\x07\tx\n\\x9b");
});

test("StandardOutput refuses payloads for good once its reader has left", async () => {
  let writes = 0;
  const broken = new Writable({
    write(_chunk, _encoding, done) {
      writes++;
      done(Object.assign(new Error("write EPIPE"), { code: "EPIPE" }));
    },
  });
  const output = new StandardOutput(broken);
  await expect(output.write("a")).rejects.toMatchObject({ name: "PermanentError" });
  await expect(output.write("b")).rejects.toMatchObject({ name: "PermanentError" });
  expect(writes).toBe(1);
});
