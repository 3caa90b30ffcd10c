import { expect, test } from "bun:test";
import type { LogRecord } from "logcollector/plugin";
import { DockerModeJoiner } from "../../../plugins/inputs/tail/docker-mode.ts";

test("DockerModeJoiner does not keep a message that never ends", () => {
  const joiner = new DockerModeJoiner({
    key: "log",
    extra: undefined,
    offsetKey: undefined,
    parser: undefined,
    first: undefined,
    flushTimeoutMs: 1000,
  });
  const part = JSON.stringify({ log: "x".repeat(16_000) });
  const out: LogRecord[] = [];
  for (let i = 0; i < 300; i++) joiner.feed(part, 1, 0, i * part.length, out);
  expect(out.map(({ body }) => String(body["log"]).length)).toEqual([2_000_010, 2_000_010]);
  expect(joiner.pendingPosition).toBe(250 * part.length);
});
