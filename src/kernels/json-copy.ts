import { copyBytes } from "./copy";
import { NANOS, SECONDS, SPANS, TEXTS } from "./memory";

const OPEN_BRACE: u8 = 0x7b;
const COMMA: u8 = 0x2c;
const CLOSE_BRACE: u8 = 0x7d;
const DOT: u8 = 0x2e;
const ZERO: u8 = 0x30;
/** Between 2004 and 2242 the shortest form of a double has just the decimals that it was made of. */
const MIN_EXACT_SEC: f64 = 1_073_741_824;
const MAX_EXACT_SEC: f64 = 8_589_934_592;
const SEC_DIGITS: i32 = 10;

/** The digits of the second that was written last: nearly always the next record has the same. */
const DIGITS: usize = memory.data(32);
let digitsSec: f64 = 0;

/** Times that {@link copyLines} cannot write. */
const NOT_EXACT: usize = 0;

/** The texts around records lie in {@link TEXTS} one behind the other. */
let dateNameLength: i32 = 0;
let separatorLength: i32 = 0;
let tailLength: i32 = 0;

/**
 * How long the texts are that {@link copyLines} uses.
 *
 * @param dateName `{"date":`; with a length of 0 no date is written
 * @param tail members that stand behind all others, without a comma in front; 0 for none
 */
export function useTexts(dateName: i32, separator: i32, tail: i32): void {
  dateNameLength = dateName;
  separatorLength = separator;
  tailLength = tail;
}

/**
 * Writes noted records one behind the other. Of one that is noted elsewhere, only what comes in front of its members is
 * written.
 *
 * @param bytes what the records' spans count from
 * @param first the first record, and `last` the one behind the last
 * @returns the position behind what was written; 0 when a time takes another way of writing
 */
export function copyLines(bytes: usize, first: i32, last: i32, at: usize): usize {
  const separator = TEXTS + dateNameLength;
  const tail = separator + separatorLength;
  for (let i = first; i < last; i++) {
    if (i > 0) at = copyBytes(separator, separatorLength, at);
    const span = SPANS + (<usize> i << 4);
    const start = load<u32>(span) + 1;
    const cutFrom = load<u32>(span, 4);
    const cutTo = load<u32>(span, 8);
    const end = load<u32>(span, 12);
    // With the closing brace.
    const rest = cutFrom - start + end - cutTo;
    if (dateNameLength === 0) store<u8>(at++, OPEN_BRACE);
    else {
      at = copyBytes(TEXTS, dateNameLength, at);
      const seconds = load<f64>(SECONDS + (<usize> i << 3));
      at = writeDate(seconds, load<i32>(NANOS + (<usize> i << 2)), at);
      if (at === NOT_EXACT) return NOT_EXACT;
      if (rest > 1) store<u8>(at++, COMMA);
    }
    at = copyBytes(bytes + start, cutFrom - start, at);
    at = copyBytes(bytes + cutTo, end - cutTo, at);
    if (tailLength === 0 || rest === 0) continue;
    // In place of the closing brace.
    at--;
    if (dateNameLength > 0 || rest > 1) store<u8>(at++, COMMA);
    at = copyBytes(tail, tailLength, at);
    store<u8>(at++, CLOSE_BRACE);
  }
  return at;
}

function writeDate(sec: f64, nsec: i32, at: usize): usize {
  let micros = (nsec + 500) / 1000;
  if (micros >= 1_000_000 || !(sec >= MIN_EXACT_SEC && sec < MAX_EXACT_SEC)) return NOT_EXACT;
  if (sec !== digitsSec) writeDigits(sec);
  at = copyBytes(DIGITS, SEC_DIGITS, at);
  if (micros === 0) return at;
  let places = 6;
  while (micros % 10 === 0) {
    micros /= 10;
    places--;
  }
  store<u8>(at, DOT);
  for (let k = places; k > 0; k--) {
    const rest = micros / 10;
    store<u8>(at + k, ZERO + <u8> (micros - rest * 10));
    micros = rest;
  }
  return at + places + 1;
}

function writeDigits(sec: f64): void {
  digitsSec = sec;
  let left = <u64> sec;
  for (let k = SEC_DIGITS - 1; k >= 0; k--) {
    store<u8>(DIGITS + k, ZERO + <u8> (left % 10));
    left /= 10;
  }
}
