import { isLeapYear } from "./civil-days.ts";
import { ZONE_ABBREVIATIONS } from "./zone-abbreviations.ts";

/** The parts of a time while it is read. A part that the text does not give keeps its start value. */
export class TimeParts {
  year = 1900;
  /** 1 to 12. */
  month = 1;
  /** 0 until a day is read. */
  day = 0;
  hour = 0;
  minute = 0;
  second = 0;
  /** Seconds since the epoch when `%s` gave them, else -1. */
  epoch = -1;
  /** Offset from UTC in seconds. */
  offset = 0;
  yearDay = 0;
  century = -1;
  shortYear = -1;
  seen = 0;

  clear(): void {
    this.year = 1900;
    this.month = 1;
    this.day = 0;
    this.hour = this.minute = this.second = 0;
    this.epoch = -1;
    this.yearDay = 0;
  }
}

const SEEN_MONTH = 1;
const SEEN_DAY = 2;
const SEEN_YEAR_DAY = 4;
const SEEN_YEAR = 8;

/** Reads one conversion at the cursor; false when the text does not fit. */
export type Conversion = (text: string, parts: TimeParts) => boolean;

// Where the conversions are in the text. Module state, so that no step allocates.
let cursor = 0;

/** Reads `text` from `start` into `parts`. Returns the place behind the last character read, or -1. */
export function runSteps(
  steps: readonly Conversion[],
  text: string,
  start: number,
  parts: TimeParts,
): number {
  parts.century = parts.shortYear = -1;
  parts.seen = parts.offset = 0;
  cursor = start;
  for (let i = 0; i < steps.length; i++) {
    if (!steps[i]!(text, parts)) return -1;
  }
  completeDate(parts);
  return cursor;
}

export function literal(code: number): Conversion {
  return (text) => text.charCodeAt(cursor++) === code;
}

/** White space in a format stands for any amount of it, none included. */
export function skipSpace(text: string): boolean {
  while (isSpace(text.charCodeAt(cursor))) cursor++;
  return true;
}

function isSpace(code: number): boolean {
  return code === 32 || (code >= 9 && code <= 13);
}

/** The first step of a format without a year: the year is known already. */
export function yearIsKnown(text: string, parts: TimeParts): boolean {
  parts.seen |= SEEN_YEAR;
  return skipSpace(text);
}

/**
 * Reads digits as long as one more could still make a number up to `high`, as the C function does: "95"
 * read as an hour is 9, and the 5 stays. Returns -1 when there is no digit or the number is out of range.
 */
function number(text: string, low: number, high: number): number {
  let digit = text.charCodeAt(cursor) - 48;
  if (!(digit >= 0 && digit <= 9)) return -1;
  let result = 0;
  let room = high;
  do {
    result = result * 10 + digit;
    room = Math.floor(room / 10);
    digit = text.charCodeAt(++cursor) - 48;
  } while (result * 10 <= high && room > 0 && digit >= 0 && digit <= 9);
  return result < low || result > high ? -1 : result;
}

/** Three ASCII letters in any case as one number, or NaN at the end of the text. */
function threeLetters(text: string, at: number): number {
  return (text.charCodeAt(at) | 32) * 0x10_0000_0000 + (text.charCodeAt(at + 1) | 32) * 0x4_0000 +
    (text.charCodeAt(at + 2) | 32);
}

interface Names {
  readonly full: readonly string[];
  readonly index: ReadonlyMap<number, number>;
}

function names(...full: string[]): Names {
  return { full, index: new Map(full.map((name, i) => [threeLetters(name, 0), i])) };
}

const MONTHS = names(
  "january",
  "february",
  "march",
  "april",
  "may",
  "june",
  "july",
  "august",
  "september",
  "october",
  "november",
  "december",
);
const WEEKDAYS = names(
  "sunday",
  "monday",
  "tuesday",
  "wednesday",
  "thursday",
  "friday",
  "saturday",
);

/** Reads a full or abbreviated name and returns its index, or -1. */
function name(text: string, { full, index }: Names): number {
  const found = index.get(threeLetters(text, cursor));
  if (found === undefined) return -1;
  const whole = full[found]!;
  // The abbreviation is by far the usual form: look for the rest of the name only if its next letter is there.
  const next = text.charCodeAt(cursor + 3) | 32;
  const isWhole = whole.length > 3 && next === whole.charCodeAt(3) &&
    text.slice(cursor, cursor + whole.length).toLowerCase() === whole;
  cursor += isWhole ? whole.length : 3;
  return found;
}

const weekday: Conversion = (text) => name(text, WEEKDAYS) >= 0;

const monthName: Conversion = (text, parts) => {
  const month = name(text, MONTHS);
  if (month < 0) return false;
  parts.month = month + 1;
  parts.seen |= SEEN_MONTH;
  return true;
};

const day: Conversion = (text, parts) => {
  const value = number(text, 1, 31);
  if (value < 0) return false;
  parts.day = value;
  parts.seen |= SEEN_DAY;
  return true;
};

const hour24: Conversion = (text, parts) => (parts.hour = number(text, 0, 23)) >= 0;
const hour12: Conversion = (text, parts) => (parts.hour = number(text, 1, 12)) >= 0;
const inRange = (low: number, high: number): Conversion => (text) => number(text, low, high) >= 0;

const anySpace: Conversion = (text) => cursor < text.length && skipSpace(text);

/** Every conversion by its letter, but for those that stand for several others. */
export const CONVERSIONS: Readonly<Record<string, Conversion>> = {
  a: weekday,
  A: weekday,
  b: monthName,
  B: monthName,
  h: monthName,
  C: (text, parts) => (parts.century = number(text, 0, 99)) >= 0,
  d: day,
  e: (text, parts) => {
    if (isSpace(text.charCodeAt(cursor))) cursor++;
    return day(text, parts);
  },
  g: inRange(0, 99),
  G: (text) => {
    if (cursor >= text.length) return false;
    do cursor++; while (text.charCodeAt(cursor) >= 48 && text.charCodeAt(cursor) <= 57);
    return true;
  },
  H: hour24,
  I: hour12,
  j: (text, parts) => {
    const value = number(text, 1, 366);
    if (value < 0) return false;
    parts.yearDay = value - 1;
    parts.seen |= SEEN_YEAR_DAY;
    return true;
  },
  k: hour24,
  l: hour12,
  m: (text, parts) => {
    const value = number(text, 1, 12);
    if (value < 0) return false;
    parts.month = value;
    parts.seen |= SEEN_MONTH;
    return true;
  },
  M: (text, parts) => (parts.minute = number(text, 0, 59)) >= 0,
  n: anySpace,
  p: amOrPm,
  s: epochSeconds,
  S: (text, parts) => (parts.second = number(text, 0, 60)) >= 0,
  t: anySpace,
  u: inRange(1, 7),
  U: inRange(0, 53),
  V: inRange(0, 53),
  w: inRange(0, 6),
  W: inRange(0, 53),
  y: (text, parts) => (parts.shortYear = number(text, 0, 99)) >= 0,
  Y: (text, parts) => {
    const value = number(text, 0, 9999);
    if (value < 0) return false;
    parts.year = value;
    parts.shortYear = -1;
    parts.seen |= SEEN_YEAR;
    return true;
  },
  z: zoneOffset,
  Z: zoneName,
};

function amOrPm(text: string, parts: TimeParts): boolean {
  const letter = text.charCodeAt(cursor) | 32;
  if ((text.charCodeAt(cursor + 1) | 32) !== 0x6d || parts.hour > 12) return false;
  if (letter === 0x61) {
    if (parts.hour === 12) parts.hour = 0;
  } else if (letter === 0x70) {
    if (parts.hour < 12) parts.hour += 12;
  } else return false;
  cursor += 2;
  return true;
}

function epochSeconds(text: string, parts: TimeParts): boolean {
  let digit = text.charCodeAt(cursor) - 48;
  if (!(digit >= 0 && digit <= 9)) return false;
  let result = 0;
  do {
    result = result * 10 + digit;
    digit = text.charCodeAt(++cursor) - 48;
  } while (digit >= 0 && digit <= 9);
  if (result > Number.MAX_SAFE_INTEGER) return false;
  parts.epoch = result;
  return true;
}

const NORTH_AMERICAN = /^[ECMP][SD]T/i;

/** `%z`: `+hhmm`, `+hh:mm`, `+hh`, `Z`, `UT`, `UTC`, `GMT` or a North American abbreviation. */
function zoneOffset(text: string, parts: TimeParts): boolean {
  if (cursor >= text.length) return false;
  skipSpace(text);
  const sign = text.charCodeAt(cursor);
  if (sign === 0x2b || sign === 0x2d) return numericOffset(text, parts, sign === 0x2d ? -1 : 1);
  parts.offset = 0;
  if (sign === 0x5a) {
    cursor++;
    return true;
  }
  if (text.startsWith("GMT", cursor) || text.startsWith("UTC", cursor)) {
    cursor += 3;
    return true;
  }
  if (text.startsWith("UT", cursor)) {
    cursor += 2;
    return true;
  }
  const word = text.slice(cursor, cursor + 3);
  if (!NORTH_AMERICAN.test(word)) return false;
  parts.offset = ZONE_ABBREVIATIONS.get(word.toUpperCase())!;
  cursor += 3;
  return true;
}

function numericOffset(text: string, parts: TimeParts, sign: number): boolean {
  const hours = twoDigits(text, cursor + 1);
  if (hours < 0) return false;
  cursor += 3;
  if (text.charCodeAt(cursor) === 0x3a) cursor++;
  let minutes = 0;
  const next = text.charCodeAt(cursor);
  if (next >= 48 && next <= 57) {
    minutes = twoDigits(text, cursor);
    if (minutes < 0) return false;
    cursor += 2;
  }
  parts.offset = sign * (hours * 3600 + minutes * 60);
  return true;
}

function twoDigits(text: string, at: number): number {
  const tens = text.charCodeAt(at) - 48;
  const ones = text.charCodeAt(at + 1) - 48;
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : -1;
}

/** `%Z`: a zone's abbreviation as a whole word, or a text that starts with GMT or UTC. */
function zoneName(text: string, parts: TimeParts): boolean {
  let end = cursor;
  while (isWordCode(text.charCodeAt(end))) end++;
  const word = text.slice(cursor, end).toUpperCase();
  const known = ZONE_ABBREVIATIONS.get(word);
  if (known === undefined && !word.startsWith("UTC") && !text.startsWith("GMT", cursor)) {
    return false;
  }
  parts.offset = known ?? 0;
  cursor = known === undefined ? cursor + 3 : end;
  return true;
}

function isWordCode(code: number): boolean {
  const lower = code | 32;
  return (code >= 48 && code <= 57) || (lower >= 0x61 && lower <= 0x7a && code < 128);
}

const MONTH_LENGTHS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** What only the end of a format tells: a two-digit year needs its century, a day of the year the year. */
function completeDate(parts: TimeParts): void {
  if (parts.shortYear >= 0) {
    const century = parts.century >= 0 ? parts.century : parts.shortYear <= 68 ? 20 : 19;
    parts.year = century * 100 + parts.shortYear;
    parts.seen |= SEEN_YEAR;
  }
  if ((parts.seen & (SEEN_YEAR | SEEN_YEAR_DAY)) !== (SEEN_YEAR | SEEN_YEAR_DAY)) return;
  let days = parts.yearDay;
  let month = 1;
  for (; month < 12; month++) {
    const length = month === 2 && isLeapYear(parts.year) ? 29 : MONTH_LENGTHS[month - 1]!;
    if (days < length) break;
    days -= length;
  }
  if ((parts.seen & SEEN_MONTH) === 0) parts.month = month;
  if ((parts.seen & SEEN_DAY) === 0) parts.day = days + 1;
}
