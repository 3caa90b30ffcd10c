// Reads times that look like the one before, in all but the digits of their fraction. Any other is read by the caller,
// who then tells what it looks like.

import { copyBytes } from "./copy";

const MAX_FRACTION_DIGITS: i32 = 9;
const MAX_TEXT: i32 = 64;

const HEAD: usize = memory.data(MAX_TEXT + 16);
const TAIL: usize = memory.data(MAX_TEXT + 16);
const NSEC_OF_DIGITS: usize = memory.data(40);
for (let digits = 1, nsec = 100_000_000; digits <= MAX_FRACTION_DIGITS; digits++, nsec /= 10) {
  store<i32>(NSEC_OF_DIGITS + (<usize> digits << 2), nsec);
}

let headLength: i32 = -1;
let tailLength: i32 = 0;
let hasFraction: bool = false;
let headSec: f64 = 0;

/** The time that {@link readTime} read. */
export let sec: f64 = 0;
export let nsec: i32 = 0;

/** What the last time looks like: what is in front of its fraction, and behind. Without a fraction all of it is in front. */
export function learnTime(
  text: usize,
  length: i32,
  beforeFraction: i32,
  behindFraction: i32,
  seconds: f64,
): void {
  headLength = -1;
  if (beforeFraction > MAX_TEXT || behindFraction > MAX_TEXT) return;
  headLength = beforeFraction;
  tailLength = behindFraction;
  hasFraction = length > beforeFraction + behindFraction;
  headSec = seconds;
  copyBytes(text, beforeFraction, HEAD);
  copyBytes(text + length - behindFraction, behindFraction, TAIL);
}

/** Nothing is known of the times to come. */
export function forgetTime(): void {
  headLength = -1;
}

export function readTime(from: usize, to: usize): bool {
  let i = from + headLength;
  if (headLength < 0 || i > to || !isSame(from, HEAD, headLength)) return false;
  sec = headSec;
  nsec = 0;
  if (!hasFraction) return i === to;
  const last = to - tailLength;
  const digits = <i32> (last - i);
  if (digits <= 0 || digits > MAX_FRACTION_DIGITS) return false;
  let value: i32 = 0;
  for (; i < last; i++) {
    const digit = <u32> load<u8>(i) - 0x30;
    if (digit > 9) return false;
    value = value * 10 + <i32> digit;
  }
  nsec = value * load<i32>(NSEC_OF_DIGITS + (<usize> digits << 2));
  return isSame(last, TAIL, tailLength);
}

function isSame(a: usize, b: usize, length: i32): bool {
  const end = a + length;
  for (; a + 8 <= end; a += 8, b += 8) if (load<u64>(a) !== load<u64>(b)) return false;
  for (; a < end; a++, b++) if (load<u8>(a) !== load<u8>(b)) return false;
  return true;
}
