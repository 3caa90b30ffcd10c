import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { compileStrptime, type TimeReaderOptions } from "../../src/lib/strptime.ts";
import { ianaZone, systemZone } from "../../src/lib/time-zone.ts";

const NOW_SEC = Date.UTC(2026, 10, 22, 14, 0, 0) / 1000;

/** The time as ISO text with nanoseconds, or `null` when it does not fit. */
function read(
  format: string,
  text: string,
  options: Partial<TimeReaderOptions> = {},
): string | null {
  const reader = compileStrptime(format, { nowSec: () => NOW_SEC, ...options });
  if (!reader.read(text)) return null;
  const nsec = String(reader.nsec).padStart(9, "0");
  return new Date(reader.sec * 1000).toISOString().replace("000Z", `${nsec}Z`);
}

describe("compileStrptime reads", () => {
  const APACHE = "%d/%b/%Y:%H:%M:%S %z";
  const ISO = "%Y-%m-%dT%H:%M:%S.%L%z";
  const cases: [format: string, text: string, expected: string | null][] = [
    [APACHE, "10/Oct/2000:13:55:36 -0700", "2000-10-10T20:55:36.000000000Z"],
    [APACHE, "10/oct/2000:13:55:36 +02:30", "2000-10-10T11:25:36.000000000Z"],
    [APACHE, "1/October/2000:1:5:6 Z", "2000-10-01T01:05:06.000000000Z"],
    [APACHE, "31/Feb/2001:23:00:00 +0000", "2001-03-03T23:00:00.000000000Z"],
    [APACHE, "10/Oct/2000:13:55:60 +05", "2000-10-10T08:56:00.000000000Z"],
    [APACHE, "10/Oct/2000:13:55:36 EST", "2000-10-10T18:55:36.000000000Z"],
    [APACHE, "10/Oct/2000:13:55:36 pdt", "2000-10-10T20:55:36.000000000Z"],
    [APACHE, "10/Oct/2000:13:55:36 UT", "2000-10-10T13:55:36.000000000Z"],
    [APACHE, "10/Oct/2000:13:55:36 -0700 trailing", "2000-10-10T20:55:36.000000000Z"],
    [APACHE, "31/Feb/2001:24:00:00 +0000", null],
    [APACHE, "10/Oct/2000:13:55:36", null],
    [APACHE, "10/Oct/2000:13:55:36 +053", null],
    [ISO, "2020-10-23T12:00:31.415213Z", "2020-10-23T12:00:31.415213000Z"],
    [ISO, "2020-10-23T12:00:31.4+01:00", "2020-10-23T11:00:31.400000000Z"],
    [ISO, "2020-10-23T12:00:31.999999999-0330", "2020-10-23T15:30:31.999999999Z"],
    [ISO, "2020-1-3T1:2:3.5Z", "2020-01-03T01:02:03.500000000Z"],
    [ISO, "2020-10-23T12:00:31.1234567891+01:00", null],
    [ISO, "2020-10-23T12:00:31Z", null],
    [ISO, "2020-10-23T12:00:31.Z", null],
    [ISO, "2020-10-23T12:00:31.415", null],
    ["%Y-%m-%d %H:%M:%S,%L", "2020-10-23 12:00:31,415", "2020-10-23T12:00:31.415000000Z"],
    ["%Y-%m-%d %H:%M:%S.%f", "2020-10-23 12:00:31.415", "2020-10-23T12:00:31.415000000Z"],
    ["%b %d %H:%M:%S", "Oct 11 22:14:15", "2026-10-11T22:14:15.000000000Z"],
    ["%b %d %H:%M:%S", "Feb  5 17:32:18", "2026-02-05T17:32:18.000000000Z"],
    ["%H:%M:%S.%L", "13:14:15.123", "2026-11-22T13:14:15.123000000Z"],
    ["%s", "1700000000", "2023-11-14T22:13:20.000000000Z"],
    ["%s.%L", "1700000000.123456", "2023-11-14T22:13:20.123456000Z"],
    ["%s", "-5", null],
    ["%y%m%d %H:%M:%S", "200101 10:00:00", "2020-01-01T10:00:00.000000000Z"],
    ["%y%m%d %H:%M:%S", "990101 1:00:00", "1999-01-01T01:00:00.000000000Z"],
    ["%Y %j %H:%M", "2020 060 10:00", "2020-02-29T10:00:00.000000000Z"],
    ["%m/%d/%Y %I:%M:%S %p", "10/23/2020 12:00:01 AM", "2020-10-23T00:00:01.000000000Z"],
    ["%m/%d/%Y %I:%M:%S %p", "10/23/2020 12:00:01 pm", "2020-10-23T12:00:01.000000000Z"],
    ["%m/%d/%Y %I:%M:%S.%L %p", "10/23/2020 02:00:01.123 pm", "2020-10-23T14:00:01.123000000Z"],
    ["%Y-%m-%d %H:%M:%S %Z", "2020-10-23 12:00:31 JST", "2020-10-23T03:00:31.000000000Z"],
    ["%Y-%m-%d %H:%M:%S %Z", "2020-10-23 12:00:31 cest", "2020-10-23T10:00:31.000000000Z"],
    ["%Y-%m-%d %H:%M:%S %Z", "2020-10-23 12:00:31 XYZ", null],
    ["%c", "Friday October  3 12:00:31 2020", "2020-10-03T12:00:31.000000000Z"],
    ["%D %T", "10/23/20 12:00:31", "2020-10-23T12:00:31.000000000Z"],
    ["%F %R", "2020-10-23 12:00", "2020-10-23T12:00:00.000000000Z"],
    ["%b %e %H:%M:%S %Y", "Oct  3 12:00:31 2020", "2020-10-03T12:00:31.000000000Z"],
    ["%G-W%V-%u %Y%m%d", "2020-W05-3 20200102", "2020-01-02T00:00:00.000000000Z"],
    ["%%%Y-%m-%d", "%2020-10-23", "2020-10-23T00:00:00.000000000Z"],
    ["%Y%m%d%H%M%S%L", "20201023120005415", "2020-10-23T12:00:05.415000000Z"],
    ["%Y-%m-%dT%H:%M:%S%z.%L", "2020-10-23T12:00:31+0100.5", "2020-10-23T12:00:31.500000000Z"],
    ["%Y-%m-%d%n%H:%M", "2020-10-2312:00", "2020-10-23T12:00:00.000000000Z"],
    ["%Y-%m-%d %Q", "2020-10-23 12", null],
  ];
  test.each(cases)("%s: %s", (format, text, expected) => {
    expect(read(format, text)).toBe(expected);
  });
});

describe("compileStrptime", () => {
  test("applies an offset only to a time that names no zone", () => {
    const offsetSec = 9000;
    expect(read("%Y-%m-%d %H:%M:%S", "2020-10-23 12:00:31", { offsetSec }))
      .toBe("2020-10-23T09:30:31.000000000Z");
    expect(read("%Y-%m-%d %H:%M:%S %z", "2020-10-23 12:00:31 +0000", { offsetSec }))
      .toBe("2020-10-23T12:00:31.000000000Z");
    expect(read("%Y-%m-%dT%H:%M:%S.%LZ", "2020-10-23T12:00:31.5Z", { offsetSec }))
      .toBe("2020-10-23T12:00:31.500000000Z");
    expect(read("%s", "1700000000", { offsetSec: 3600 })).toBe("2023-11-14T21:13:20.000000000Z");
  });

  test("applies a zone with its daylight saving", () => {
    const zone = ianaZone("Europe/Berlin");
    const berlin = (text: string): string | null => read("%Y-%m-%d %H:%M:%S", text, { zone });
    expect(berlin("2020-07-01 00:00:00")).toBe("2020-06-30T22:00:00.000000000Z");
    expect(berlin("2020-01-01 00:00:00")).toBe("2019-12-31T23:00:00.000000000Z");
    expect(berlin("2020-10-25 02:30:00")).toBe("2020-10-25T00:30:00.000000000Z");
    expect(berlin("2020-10-25 03:00:00")).toBe("2020-10-25T02:00:00.000000000Z");
    expect(berlin("2020-03-29 02:30:00")).toBe("2020-03-29T00:30:00.000000000Z");
  });

  test("takes today's date in the zone for a format without one", () => {
    const nowSec = (): number => Date.UTC(2026, 10, 22, 20, 0, 0) / 1000;
    const zone = ianaZone("Asia/Kolkata");
    expect(read("%H:%M:%S", "01:00:00", { zone, nowSec })).toBe("2026-11-22T19:30:00.000000000Z");
  });

  test("follows the year when it changes", () => {
    let now = Date.UTC(2026, 11, 31, 23, 59, 59) / 1000;
    const reader = compileStrptime("%b %d %H:%M:%S", { nowSec: () => now });
    expect(reader.read("Jan 01 00:00:00")).toBe(true);
    expect(new Date(reader.sec * 1000).getUTCFullYear()).toBe(2026);
    now += 2;
    expect(reader.read("Jan 01 00:00:00")).toBe(true);
    expect(new Date(reader.sec * 1000).getUTCFullYear()).toBe(2027);
  });

  test("ignores the named zone when told to take this machine's", () => {
    const local = new Date(2020, 10, 1, 1, 30, 0).getTime() / 1000;
    const reader = compileStrptime("%Y-%m-%d %H:%M:%S %z", {
      nowSec: () => NOW_SEC,
      systemZone: systemZone(),
    });
    expect(reader.read("2020-11-01 01:30:00 +0100")).toBe(true);
    expect(reader.sec).toBe(local);
  });

  test("takes what could be read when it is not strict", () => {
    const format = "%Y-%m-%dT%H:%M:%S.%L%z";
    const lax = { strict: false };
    expect(read(format, "2020-10-23T12:00:31Z", lax)).toBe("2020-10-23T12:00:31.000000000Z");
    expect(read(format, "2020-10-23T12:00:31.5", lax)).toBe("2020-10-23T12:00:31.500000000Z");
    expect(read(format, "2020-10-23", lax)).toBe("2020-10-23T00:00:00.000000000Z");
    expect(read(format, "garbage", lax)).toBeNull();
  });

  test("names the conversion that does not exist", () => {
    const options = { nowSec: () => NOW_SEC };
    expect(compileStrptime("%Y-%Q", options).unknown).toBe("%Q");
    expect(compileStrptime("%Y-%Ey", options).unknown).toBeUndefined();
  });
});

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const pad = (value: number, width = 2): string => String(value).padStart(width, "0");

/** A time as text in a few formats at once, written from its parts. */
function write(sec: number, nsec: number, digits: number, zone: number): Record<string, string> {
  const local = new Date((sec + zone * 60) * 1000);
  const minutes = Math.abs(zone);
  const sign = zone < 0 ? "-" : "+";
  const hours = pad(Math.floor(minutes / 60));
  const date = [local.getUTCFullYear(), pad(local.getUTCMonth() + 1), pad(local.getUTCDate())];
  const time = local.toISOString().slice(11, 19);
  const fraction = pad(nsec, 9).slice(0, digits);
  const month = MONTHS[local.getUTCMonth()]!;
  return {
    "%Y-%m-%dT%H:%M:%S.%L%z": `${date.join("-")}T${time}.${fraction}${sign}${hours}:${
      pad(minutes % 60)
    }`,
    "%d/%b/%Y:%H:%M:%S %z": `${date[2]}/${month}/${date[0]}:${time} ${sign}${hours}${
      pad(minutes % 60)
    }`,
    "%s.%L": `${sec}.${fraction}`,
  };
}

test("compileStrptime reads back what a naive writer wrote, whatever the reader saw before", () => {
  const readers = new Map(
    Object.keys(write(0, 0, 9, 0)).map((format) => [
      format,
      compileStrptime(format, { nowSec: () => NOW_SEC }),
    ]),
  );
  const time = fc.record({
    // Few different seconds, so that the parts that a reader remembers are used, and many far ones.
    sec: fc.oneof(fc.integer({ min: 1_700_000_000, max: 1_700_000_003 }), fc.nat(4_000_000_000)),
    nsec: fc.nat(999_999_999),
    digits: fc.integer({ min: 1, max: 9 }),
    zone: fc.oneof(fc.constant(0), fc.integer({ min: -720, max: 840 })),
  });
  fc.assert(
    fc.property(fc.array(time, { minLength: 1, maxLength: 30 }), (times) => {
      for (const { sec, nsec, digits, zone } of times) {
        for (const [format, text] of Object.entries(write(sec, nsec, digits, zone))) {
          const reader = readers.get(format)!;
          expect(reader.read(text)).toBe(true);
          expect(reader.sec).toBe(sec);
          const unit = 10 ** (9 - digits);
          expect(reader.nsec).toBe(format.includes("%L") ? nsec - (nsec % unit) : 0);
        }
      }
    }),
  );
});
