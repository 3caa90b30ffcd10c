// Writes records as msgpack events: [[time, metadata], body], or [time, body].

import { copyBytes } from "./copy";
import { NANOS, SECONDS, SPANS, TEXTS } from "./memory";
import { packedTo, packObject, packTextHead } from "./msgpack";

const LF: u8 = 0x0a;

/** Where {@link packLines} has written to. */
export let eventsTo: usize = 0;

/**
 * Writes noted records as events with their exact time.
 *
 * @param hasMetadata whether they have metadata, which is empty
 * @param tailLength of the members in {@link TEXTS} that all have besides, in msgpack, and their number
 * @returns the number of the first that the caller must write, or `last`; look at {@link eventsTo}
 */
export function packLines(
  bytes: usize,
  first: i32,
  last: i32,
  at: usize,
  hasMetadata: bool,
  tailLength: i32,
  tailCount: i32,
): i32 {
  eventsTo = at;
  for (let i = first; i < last; i++) {
    const span = SPANS + (<usize> i << 4);
    at = packHead(i, at, hasMetadata);
    packObject(
      bytes + load<u32>(span),
      bytes + load<u32>(span, 4),
      bytes + load<u32>(span, 8),
      at,
      TEXTS,
      tailLength,
      tailCount,
      0,
    );
    if (packedTo === 0) return i;
    at = packedTo;
    eventsTo = at;
  }
  return last;
}

function packHead(i: i32, at: usize, hasMetadata: bool): usize {
  store<u8>(at++, 0x92);
  if (hasMetadata) store<u8>(at++, 0x92);
  store<u16>(at, 0x00d7);
  const sec = <u32> <i64> load<f64>(SECONDS + (<usize> i << 3));
  store<u32>(at, bswap<u32>(sec), 2);
  store<u32>(at, bswap<u32>(load<u32>(NANOS + (<usize> i << 2))), 6);
  at += 10;
  if (hasMetadata) store<u8>(at++, 0x80);
  return at;
}

/** Writes lines with a text before each that lies in {@link TEXTS}. Returns the position behind them. */
export function packRaw(from: usize, to: usize, head: i32, at: usize): usize {
  while (true) {
    const end = endOfLine(from, to);
    const length = <i32> (end - from);
    at = copyBytes(TEXTS, head, at);
    at = copyBytes(from, length, packTextHead(length, at));
    if (end === to) return at;
    from = end + 1;
  }
}

function endOfLine(from: usize, to: usize): usize {
  const feeds = i8x16.splat(LF);
  for (let at = from; at < to; at += 16) {
    const found = i8x16.bitmask(i8x16.eq(v128.load(at), feeds));
    if (found !== 0) return min(at + ctz(found), to);
  }
  return to;
}
