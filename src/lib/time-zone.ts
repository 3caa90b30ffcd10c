/** Converts between a zone's wall-clock time and UTC, both in seconds since 1970-01-01 00:00. */
export interface LocalZone {
  toUtc(localSec: number): number;
  toLocal(utcSec: number): number;
}

/** Transitions of every zone in use lie on a quarter of an hour, so one answer holds for all of it. */
const BLOCK_SEC = 900;
const MAX_CACHED_BLOCKS = 4096;
const DAY_SEC = 86_400;

/** A zone by its IANA name, daylight saving included. Throws RangeError for an unknown one. */
export function ianaZone(name: string): LocalZone {
  let format: Intl.DateTimeFormat;
  try {
    format = zoneFormat(name);
  } catch (cause) {
    throw new RangeError(`unknown time zone ${JSON.stringify(name)}`, { cause });
  }
  return cachedZone((utcSec) => offsetAt(format, utcSec));
}

/** The zone of this machine. */
export function systemZone(): LocalZone {
  return cachedZone((utcSec) => -60 * new Date(utcSec * 1000).getTimezoneOffset());
}

function cachedZone(lookUp: (utcSec: number) => number): LocalZone {
  const offset = cachedByBlock(lookUp);
  const local = cachedByBlock((localSec) => localOffset(offset, localSec));
  return {
    toUtc: (localSec) => localSec - local(localSec),
    toLocal: (utcSec) => utcSec + offset(utcSec),
  };
}

function cachedByBlock(lookUp: (sec: number) => number): (sec: number) => number {
  const known = new Map<number, number>();
  let lastBlock = NaN;
  let lastOffset = 0;
  return (sec) => {
    const block = Math.floor(sec / BLOCK_SEC);
    if (block === lastBlock) return lastOffset;
    let offset = known.get(block);
    if (offset === undefined) {
      if (known.size >= MAX_CACHED_BLOCKS) known.clear();
      offset = lookUp(block * BLOCK_SEC);
      known.set(block, offset);
    }
    lastBlock = block;
    return lastOffset = offset;
  };
}

/**
 * A wall-clock time that exists twice is taken as the first of the two. One that a clock change skipped
 * gets the offset that would hold if it were UTC, as in Fluent Bit.
 */
function localOffset(offset: (utcSec: number) => number, localSec: number): number {
  const before = offset(localSec - DAY_SEC);
  const after = offset(localSec + DAY_SEC);
  const larger = Math.max(before, after);
  if (offset(localSec - larger) === larger) return larger;
  const smaller = Math.min(before, after);
  if (offset(localSec - smaller) === smaller) return smaller;
  return offset(localSec);
}

function zoneFormat(timeZone: string): Intl.DateTimeFormat {
  return new Intl.DateTimeFormat("en-US", {
    timeZone,
    calendar: "gregory",
    hourCycle: "h23",
    era: "short",
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
  });
}

function offsetAt(format: Intl.DateTimeFormat, utcSec: number): number {
  const part: Record<string, number> = {};
  for (const { type, value } of format.formatToParts(utcSec * 1000)) part[type] = Number(value);
  const localMs = Date.UTC(
    part["year"]!,
    part["month"]! - 1,
    part["day"]!,
    part["hour"]!,
    part["minute"]!,
    part["second"]!,
  );
  return localMs / 1000 - utcSec;
}
