import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { readCursor, writeCursor } from "../../../../plugins/inputs/systemd/journal/cursor.ts";
import {
  isPrintable,
  LONGEST_ESCAPE,
  writeJsonText,
  writeTextOrNumbers,
} from "../../../../plugins/inputs/systemd/json-value.ts";
import { readPriorities } from "../../../../plugins/inputs/systemd/priorities.ts";
import { readSince } from "../../../../plugins/inputs/systemd/since.ts";

describe("a cursor", () => {
  const id = "0123456789abcdef".repeat(2);
  const place = {
    seqnumId: id,
    seqnum: 0x1f,
    bootId: "f".repeat(32),
    monotonicUs: 0xabc,
    realtimeUs: 1_700_000_000_000_000,
    xorHigh: 0x12,
    xorLow: 0x34,
  };

  test("is written as journalctl writes it, and read again", () => {
    const text = writeCursor(place);
    expect(text).toBe(`s=${id};i=1f;b=${"f".repeat(32)};m=abc;t=60a24181e4000;x=1200000034`);
    const { seqnumId, seqnum, bootId, monotonicUs, realtimeUs } = place;
    expect(readCursor(text)).toEqual({
      seqnumId,
      seqnum,
      bootId,
      monotonicUs,
      realtimeUs,
      xorHash: "1200000034",
    });
  });

  test("may lack parts, and have unknown ones", () => {
    expect(readCursor("t=10;p=old")).toEqual({ realtimeUs: 16 });
    for (const text of ["", "x=1", "i=5", `s=${id}`, "hello", "t=xyz"]) {
      expect(readCursor(text)).toBe(undefined);
    }
  });
});

describe("values in JSON", () => {
  const write = (writer: typeof writeJsonText, bytes: Uint8Array): string => {
    const out = Buffer.alloc(bytes.length * LONGEST_ESCAPE + 2);
    return out.toString("utf8", 0, writer(bytes, 0, bytes.length, out, 0));
  };

  test("are what JSON.stringify makes of their text", () => {
    fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => {
      const bytes = Buffer.from(text);
      expect(write(writeJsonText, bytes)).toBe(JSON.stringify(bytes.toString("utf8")));
    }));
    fc.assert(fc.property(fc.uint8Array(), (bytes) => {
      expect(write(writeJsonText, bytes)).toBe(JSON.stringify(Buffer.from(bytes).toString("utf8")));
    }));
  });

  test("are numbers where they are no text that could be printed", () => {
    fc.assert(fc.property(fc.uint8Array(), (bytes) => {
      const value = JSON.parse(write(writeTextOrNumbers, bytes));
      const expected = isPrintable(bytes, 0, bytes.length)
        ? Buffer.from(bytes).toString()
        : [...bytes];
      expect(value).toEqual(expected);
    }));
    expect(write(writeTextOrNumbers, Buffer.from("tab\tline\n ü"))).toBe('"tab\\tline\\n ü"');
    expect(write(writeTextOrNumbers, Buffer.from([0xc2, 0x80]))).toBe("[194,128]");
  });
});

test("readPriorities understands numbers, names and ranges", () => {
  expect([...readPriorities("warning")]).toEqual([0, 1, 2, 3, 4]);
  expect([...readPriorities("6..err")]).toEqual([3, 4, 5, 6]);
  expect([...readPriorities("0")]).toEqual([0]);
  for (const text of ["8", "loud", "1..2..3", ""]) {
    expect(() => readPriorities(text)).toThrow("expected a priority");
  }
});

test("readSince understands times, and how long ago", () => {
  const nowUs = 1_700_000_000_000_000;
  expect(readSince("2h")(nowUs)).toBe(nowUs - 7200e6);
  expect(readSince("1.5 d ago")(nowUs)).toBe(nowUs - 36 * 3600e6);
  expect(readSince("now")(nowUs)).toBe(nowUs);
  expect(readSince("@1600000000.5")(nowUs)).toBe(1_600_000_000_500_000);
  expect(readSince("2026-01-31 12:30:01.25 Z")(nowUs)).toBe(
    Date.UTC(2026, 0, 31, 12, 30, 1) * 1000 + 250_000,
  );
  expect(readSince("2026-01-31T12:30+02:00")(nowUs)).toBe(Date.UTC(2026, 0, 31, 10, 30) * 1000);
  expect(new Date(readSince("2026-01-31")(nowUs) / 1000).getDate()).toBe(31);
  const midnight = new Date(readSince("yesterday")(nowUs) / 1000);
  expect([midnight.getHours(), midnight.getMinutes()]).toEqual([0, 0]);
  for (const text of ["soon", "2026-02-31", "2026-01-31 25:00", "5 parsecs"]) {
    expect(() => readSince(text)).toThrow("expected a time");
  }
});
