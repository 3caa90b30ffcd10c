import { describe, expect, test } from "bun:test";
import { ianaZone } from "../../src/lib/time-zone.ts";

const utc = (text: string): number => Date.parse(`${text}Z`) / 1000;

describe("ianaZone", () => {
  test("converts both ways outside a clock change", () => {
    const zone = ianaZone("Asia/Kathmandu");
    expect(zone.toUtc(utc("2024-05-01T05:45:00"))).toBe(utc("2024-05-01T00:00:00"));
    expect(zone.toLocal(utc("2024-05-01T00:00:00"))).toBe(utc("2024-05-01T05:45:00"));
  });

  test("takes the first of two equal wall-clock times", () => {
    const zone = ianaZone("America/New_York");
    expect(zone.toUtc(utc("2020-11-01T01:30:00"))).toBe(utc("2020-11-01T05:30:00"));
    expect(zone.toUtc(utc("2020-11-01T02:00:00"))).toBe(utc("2020-11-01T07:00:00"));
  });

  test("gives an hour that was skipped the offset from before the change", () => {
    const zone = ianaZone("America/New_York");
    expect(zone.toUtc(utc("2020-03-08T02:30:00"))).toBe(utc("2020-03-08T07:30:00"));
  });

  test("refuses an unknown zone by name", () => {
    expect(() => ianaZone("Mars/Olympus")).toThrow('unknown time zone "Mars/Olympus"');
  });
});
