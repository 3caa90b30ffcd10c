// Matches lines against a compiled expression, with backtracking, in the order in which a regular expression engine tries
// its ways. The programs are made by src/lib/line-program.ts.

import { PROGRAM, SETS, STACK, STACK_END } from "./memory";

/** Instructions, and the words that follow each. */
const MATCH: i32 = 0;
/** byte */
const BYTE: i32 = 1;
/** set */
const SET: i32 = 2;
/** set, least number of bytes, byte that must follow or -1 */
const GREEDY: i32 = 3;
const LAZY: i32 = 4;
/** slot */
const SAVE: i32 = 5;
/** what is tried first, and what then */
const SPLIT: i32 = 6;
/** where to */
const JUMP: i32 = 7;
const AT_END: i32 = 8;
const AT_START: i32 = 9;
/** set, least number of bytes, nothing: a run behind which comes something that is not in it, so that only all of it fits */
const WHOLE_RUN: i32 = 10;
/** byte, least number of bytes, nothing: a run of anything else, behind which comes that byte */
const UNTIL: i32 = 11;
/** bytes as a word, its mask, how many */
const BYTES: i32 = 12;

/** Of a set: for each low half of a byte the high halves that are in it, as bits, and whether all from 0x80 are. */
const SET_BYTES: i32 = 32;
const SET_HIGH: usize = 16;
const WAY_BYTES: usize = 12;
const MAX_SLOTS: i32 = 128;
/** Steps for one line: a line that takes more is left to the caller, who has an engine with other limits. */
const MAX_STEPS: i32 = 20_000;

/** Where each slot was saved, 0 for nowhere. */
export const SLOTS: usize = memory.data(MAX_SLOTS * 4 + 16);

export const MATCHED: i32 = 1;
export const NO_MATCH: i32 = 0;
/** It takes too much time or memory. */
export const GAVE_UP: i32 = -1;

let top: usize = STACK;
let start: usize = 0;
let end: usize = 0;
let steps: i32 = 0;

/**
 * Looks for the first match in a line, which may have bytes of anything behind its end.
 *
 * @param slots how many slots the program has
 * @param isAnchored whether a match can only be at the beginning of the line
 */
export function matchLine(from: usize, to: usize, slots: i32, isAnchored: bool): i32 {
  start = from;
  end = to;
  steps = 0;
  for (let at = from; at <= to; at++) {
    for (let slot = SLOTS; slot < SLOTS + (<usize> slots << 2); slot += 16) {
      v128.store(slot, i64x2(0, 0));
    }
    const result = run(at);
    if (result !== NO_MATCH || isAnchored) return result;
  }
  return NO_MATCH;
}

function run(from: usize): i32 {
  let at = from;
  let pc: usize = PROGRAM;
  top = STACK;
  while (true) {
    let fits = true;
    const operation = load<i32>(pc);
    switch (operation) {
      case MATCH:
        return MATCHED;
      case BYTE:
        fits = at < end && load<u8>(at) === load<u8>(pc, 4);
        at++;
        pc += 8;
        break;
      case SET:
        fits = at < end && isIn(setAt(pc), load<u8>(at));
        at++;
        pc += 8;
        break;
      case GREEDY: {
        const least = at + load<i32>(pc, 8);
        const to = endOfRun(setAt(pc), at);
        fits = to >= least;
        if (fits) {
          at = lastBefore(least, to, load<i32>(pc, 12));
          fits = at !== 0;
        }
        if (fits && at > least) push(pc, least, at);
        pc += 16;
        break;
      }
      case LAZY: {
        const least = at + load<i32>(pc, 8);
        const to = endOfRun(setAt(pc), at);
        fits = to >= least;
        if (fits) {
          at = firstFrom(least, to, load<i32>(pc, 12));
          fits = at !== 0;
        }
        if (fits && at < to) push(pc, to, at);
        pc += 16;
        break;
      }
      case SAVE: {
        const slot = SLOTS + (<usize> load<i32>(pc, 4) << 2);
        // Without another way to go, nothing is to be undone.
        if (top !== STACK) push(0, slot, load<u32>(slot));
        store<u32>(slot, <u32> at);
        pc += 8;
        break;
      }
      case SPLIT:
        push(PROGRAM + (<usize> load<i32>(pc, 8) << 2), 0, at);
        pc = PROGRAM + (<usize> load<i32>(pc, 4) << 2);
        break;
      case WHOLE_RUN: {
        const to = endOfRun(setAt(pc), at);
        fits = to >= at + load<i32>(pc, 8);
        at = to;
        pc += 16;
        break;
      }
      case UNTIL: {
        const to = findBefore(at, end, load<u8>(pc, 4));
        fits = to !== 0 && to >= at + load<i32>(pc, 8);
        at = to;
        pc += 16;
        break;
      }
      case BYTES: {
        const length = load<i32>(pc, 12);
        fits = at + length <= end && (load<i32>(at) & load<i32>(pc, 8)) === load<i32>(pc, 4);
        at += length;
        pc += 16;
        break;
      }
      case JUMP:
        if (++steps > MAX_STEPS || top > STACK_END) return GAVE_UP;
        pc = PROGRAM + (<usize> load<i32>(pc, 4) << 2);
        break;
      case AT_END:
        fits = at === end;
        pc += 4;
        break;
      case AT_START:
        fits = at === start;
        pc += 4;
        break;
      default:
        return GAVE_UP;
    }
    if (fits) continue;
    if (++steps > MAX_STEPS || top > STACK_END) return GAVE_UP;
    // Back to the way that was noted last.
    while (true) {
      if (top === STACK) return NO_MATCH;
      top -= WAY_BYTES;
      pc = load<u32>(top);
      const limit: usize = load<u32>(top, 4);
      at = load<u32>(top, 8);
      if (pc === 0) {
        store<u32>(limit, <u32> at);
        continue;
      }
      if (limit === 0) break;
      const follows = load<i32>(pc, 12);
      if (load<i32>(pc) === GREEDY) {
        at = lastBefore(limit, at - 1, follows);
        if (at !== 0 && at > limit) push(pc, limit, at);
      } else {
        at = firstFrom(at + 1, limit, follows);
        if (at !== 0 && at < limit) push(pc, limit, at);
      }
      if (at === 0) continue;
      pc += 16;
      break;
    }
  }
}

// @ts-ignore: a decorator of the compiler's

function push(pc: usize, limit: usize, at: usize): void {
  store<u32>(top, <u32> pc);
  store<u32>(top, <u32> limit, 4);
  store<u32>(top, <u32> at, 8);
  top += WAY_BYTES;
}

// @ts-ignore: a decorator of the compiler's

function setAt(pc: usize): usize {
  return SETS + <usize> load<i32>(pc, 4) * SET_BYTES;
}

/** Position of the byte, or 0. */
function findBefore(from: usize, to: usize, byte: u8): usize {
  const bytes = i8x16.splat(byte);
  for (let at = from; at < to; at += 16) {
    const found = i8x16.bitmask(i8x16.eq(v128.load(at), bytes));
    if (found === 0) continue;
    at += ctz(found);
    return at < to ? at : 0;
  }
  return 0;
}

function isIn(set: usize, byte: u8): bool {
  if (byte >= 0x80) return load<u8>(set, SET_HIGH) !== 0;
  return (load<u8>(set + (byte & 15)) & (1 << (byte >> 4))) !== 0;
}

/** The last position from `least` to `to` in front of which comes the byte, or `to`; 0 when there is none. */
function lastBefore(least: usize, to: usize, byte: i32): usize {
  if (byte < 0) return to >= least ? to : 0;
  for (let at = to; at >= least; at--) if (at < end && load<u8>(at) === <u8> byte) return at;
  return 0;
}

/** The first position from `least` to `to` where the byte is, or `least`; 0 when there is none. */
function firstFrom(least: usize, to: usize, byte: i32): usize {
  if (least > to) return 0;
  if (byte < 0) return least;
  for (let at = least; at <= to; at++) if (at < end && load<u8>(at) === <u8> byte) return at;
  return 0;
}

/** Position of the first byte that is not in the set. */
function endOfRun(set: usize, from: usize): usize {
  const table = v128.load(set);
  const high = i8x16.splat(load<i8>(set, SET_HIGH));
  const bits = i64x2(<i64> 0x8040_2010_0804_0201, 0);
  const low = i8x16.splat(0x0f);
  for (let at = from; at < end; at += 16) {
    const bytes = v128.load(at);
    const found = v128.and(
      i8x16.swizzle(table, v128.and(bytes, low)),
      i8x16.swizzle(bits, i8x16.shr_u(bytes, 4)),
    );
    const isIn = v128.or(
      i8x16.ne(found, i64x2(0, 0)),
      v128.and(high, i8x16.lt_s(bytes, i64x2(0, 0))),
    );
    const out = ~i8x16.bitmask(isIn) & 0xffff;
    if (out !== 0) {
      const to = at + ctz(out);
      return to < end ? to : end;
    }
  }
  return end;
}
