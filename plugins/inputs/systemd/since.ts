const UNITS_US: Readonly<Record<string, number>> = {
  s: 1e6,
  m: 60e6,
  min: 60e6,
  h: 3600e6,
  d: 86400e6,
  w: 7 * 86400e6,
};
const AGO = /^-?\s*(\d+(?:\.\d+)?)\s*(s|m|min|h|d|w)(?:\s+ago)?$/i;
const DATE =
  /^(\d{4})-(\d{2})-(\d{2})(?:[ T](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,6}))?)?)?\s*(Z|UTC|[+-]\d{2}:?\d{2})?$/i;

/** A moment that may depend on when it is asked for, in microseconds since the epoch. */
export type Since = (nowUs: number) => number;

/**
 * Reads `2h`, `-2h`, `2h ago`, `now`, `today`, `yesterday`, `@1700000000`, `2026-01-31` or `2026-01-31 12:00:00`,
 * which is local time unless it ends in `Z` or an offset. Throws `RangeError` for anything else.
 */
export function readSince(text: string): Since {
  const trimmed = text.trim();
  const ago = AGO.exec(trimmed);
  if (ago !== null) {
    const us = Number(ago[1]) * UNITS_US[ago[2]!.toLowerCase()]!;
    return (nowUs) => nowUs - us;
  }
  if (/^@\d+(\.\d+)?$/.test(trimmed)) {
    const us = Number(trimmed.slice(1)) * 1e6;
    return () => us;
  }
  switch (trimmed.toLowerCase()) {
    case "now":
      return (nowUs) => nowUs;
    case "today":
      return (nowUs) => midnightUs(nowUs, 0);
    case "yesterday":
      return (nowUs) => midnightUs(nowUs, -1);
  }
  const at = dateUs(trimmed);
  if (at === undefined) {
    throw new RangeError(
      `expected a time, as in 2026-01-31 12:00:00, @1700000000, today, or 2h for two hours ago, got ${
        JSON.stringify(text)
      }`,
    );
  }
  return () => at;
}

function midnightUs(nowUs: number, days: number): number {
  const now = new Date(nowUs / 1000);
  return new Date(now.getFullYear(), now.getMonth(), now.getDate() + days).getTime() * 1000;
}

function dateUs(text: string): number | undefined {
  const match = DATE.exec(text);
  if (match === null) return undefined;
  const [, year, month, day, hour = "0", minute = "0", second = "0", fraction = "0", zone] = match;
  const parts = [year, month, day, hour, minute, second].map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  parts[1]--;
  const asUtc = new Date(Date.UTC(...parts));
  // What is carried over, as from the 31st of February, was not meant.
  if (asUtc.getUTCMonth() !== parts[1] || asUtc.getUTCHours() !== parts[3]) return undefined;
  const ms = zone === undefined ? new Date(...parts).getTime() : asUtc.getTime() - offsetMs(zone);
  return ms * 1000 + Number(fraction.padEnd(6, "0"));
}

function offsetMs(zone: string): number {
  const match = /^([+-])(\d{2}):?(\d{2})$/.exec(zone);
  if (match === null) return 0;
  const minutes = Number(match[2]) * 60 + Number(match[3]);
  return (match[1] === "-" ? -minutes : minutes) * 60_000;
}
