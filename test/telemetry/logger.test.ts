import { describe, expect, test } from "bun:test";
import { LogSink, type LogSinkOptions } from "../../src/telemetry/logger.ts";
import { ManualClock } from "../support/context.ts";

/** A sink whose lines are kept, with time that stands still. */
function sinkWith(options: Partial<LogSinkOptions> = {}) {
  const clock = new ManualClock();
  const lines: string[] = [];
  const sink = new LogSink({
    level: "info",
    format: "text",
    colours: false,
    write: (line) => void lines.push(line),
    now: () => new Date(Date.UTC(2026, 0, 2, 3, 4, 5, 678)),
    after: (ms, call) => void clock.after(ms, call),
    ...options,
  });
  return { sink, lines, clock };
}

describe("LogSink", () => {
  test("writes time, level, component, message and fields as text", () => {
    const { sink, lines } = sinkWith();
    sink.logger("tail.0").warn("Cannot read a file", { path: "/a b", code: 13, none: undefined });
    expect(lines).toEqual([
      '2026-01-02 03:04:05.678 warn  [tail.0] Cannot read a file path="/a b" code=13\n',
    ]);
  });

  test("writes one JSON object per line, and a field cannot pass for one of its own", () => {
    const { sink, lines } = sinkWith({ format: "json" });
    sink.logger("tail.0").info("hello", { level: "error", message: "forged", path: "/a" });
    expect(lines).toEqual([
      '{"time":"2026-01-02T03:04:05.678Z","level":"info","component":"tail.0","message":"hello","path":"/a"}\n',
    ]);
  });

  test("colours only the level", () => {
    const { sink, lines } = sinkWith({ colours: true });
    sink.logger("x").error("bad");
    expect(lines[0]).toBe("2026-01-02 03:04:05.678 \x1b[31merror\x1b[0m [x] bad\n");
  });

  test("keeps silent below the level, of the sink or of one component", () => {
    const { sink, lines } = sinkWith({ level: "warn" });
    sink.logger("a").info("no");
    sink.logger("b", "debug").debug("yes");
    sink.logger("c", "off").error("no");
    expect(lines.map((line) => line.slice(24))).toEqual(["debug [b] yes\n"]);
  });

  const HOSTILE = "a\nforged\r\x1b[2J\x00\x7f\x9b31m\u2028\u202e\ttab";
  test("escapes what could forge a line or control a terminal, as text", () => {
    const { sink, lines } = sinkWith();
    sink.logger("ali\nas").info(HOSTILE, { key: HOSTILE });
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/^[\x20-\x7e\t]*\n$/);
    expect(lines[0]).toContain(
      "[ali\\x0aas] a\\x0aforged\\x0d\\x1b[2J\\x00\\x7f\\x9b31m\\u2028\\u202e\ttab",
    );
  });

  test("escapes them as JSON, and the text comes back whole", () => {
    const { sink, lines } = sinkWith({ format: "json" });
    sink.logger("x").info(HOSTILE);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/^[\x20-\x7e]*\n$/);
    expect(JSON.parse(lines[0]!).message).toBe(HOSTILE);
  });

  test("cuts a message that quotes a whole document", () => {
    const { sink, lines } = sinkWith();
    sink.logger("x").info("y".repeat(1_000_000));
    expect(lines[0]!.length).toBeLessThan(4100);
    expect(lines[0]).toEndWith("… (1000000 characters)\n");
  });

  test("counts all messages by level, those left out too", () => {
    const { sink } = sinkWith();
    const log = sink.logger("x");
    for (let i = 0; i < 5; i++) log.error("same");
    log.debug("below the level");
    expect(sink.counts).toEqual({ error: 5, warn: 0, info: 0, debug: 0 });
  });
});

describe("repeats", () => {
  const tails = (lines: string[]) => lines.map((line) => line.slice(24).trim());

  test("a burst has a first line, one line per second with a count, and a last one", () => {
    const { sink, lines, clock } = sinkWith();
    const log = sink.logger("x");
    for (let i = 1; i <= 4; i++) log.warn(`Dropped ${i} records`);
    expect(tails(lines)).toEqual(["warn  [x] Dropped 1 records"]);
    clock.advance(1000);
    expect(tails(lines).slice(1)).toEqual(["warn  [x] Dropped 4 records repeated=3"]);
    log.warn("Dropped 9 records");
    clock.advance(1000);
    expect(tails(lines).slice(2)).toEqual(["warn  [x] Dropped 9 records repeated=1"]);
    clock.advance(5000);
    log.warn("Dropped 1 records");
    expect(tails(lines).slice(3)).toEqual(["warn  [x] Dropped 1 records"]);
  });

  test("are held back for as long as a component wants", () => {
    const { sink, lines, clock } = sinkWith();
    const log = sink.logger("x", "info", 60_000);
    for (let i = 0; i < 3; i++) log.warn("same");
    clock.advance(59_999);
    expect(lines).toHaveLength(1);
    clock.advance(1);
    expect(tails(lines).slice(1)).toEqual(["warn  [x] same repeated=2"]);
  });

  test("flush tells what is counted", () => {
    const { sink, lines } = sinkWith();
    for (let i = 0; i < 3; i++) sink.logger("x").info("same");
    sink.flush();
    sink.flush();
    expect(tails(lines)).toEqual(["info  [x] same", "info  [x] same repeated=2"]);
  });

  test("other names, levels and components are other messages", () => {
    const { sink, lines } = sinkWith();
    const x = sink.logger("x");
    x.info("to http.0");
    x.info("to http.1");
    x.info("read /var/log/app-1.log");
    x.info("read /var/log/app-2.log");
    x.info("to 10.0.0.1:80");
    x.info("to 10.0.0.2:80");
    x.warn("to http.0");
    sink.logger("y").info("to http.0");
    expect(lines).toHaveLength(8);
  });

  test("messages that quote data cannot flood the log", () => {
    const { sink, lines, clock } = sinkWith();
    const log = sink.logger("x");
    for (let i = 0; i < 100_000; i++) log.warn(`Bad value "${i}x"`);
    expect(lines.length).toBeLessThan(60);
    clock.advance(1000);
    const told = lines.map((line) => Number(/repeated=(\d+)/.exec(line)?.[1] ?? 0));
    expect(lines.length + told.reduce((a, b) => a + b) - told.filter(Boolean).length)
      .toBe(100_000);
    expect(lines.length).toBeLessThan(60);
  });

  test("many components at once lose no count", () => {
    const { sink, lines } = sinkWith();
    for (let i = 0; i < 3000; i++) for (let n = 0; n < 3; n++) sink.logger(`c${i}`).info("same");
    sink.flush();
    expect(lines).toHaveLength(6000);
  });
});
