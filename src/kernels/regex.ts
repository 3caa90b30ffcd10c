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

/** Goes through the program. An instruction that does not fit leaves 0 in place of a position. */
function run(from: usize): i32 {
  let at = from;
  let pc: usize = PROGRAM;
  top = STACK;
  while (true) {
    const operation = load<i32>(pc);
    switch (operation) {
      case MATCH:
        return MATCHED;
      case BYTE:
        at = at < end && load<u8>(at) === load<u8>(pc, 4) ? at + 1 : 0;
        pc += 8;
        break;
      case SET:
        at = at < end && isIn(setAt(pc), load<u8>(at)) ? at + 1 : 0;
        pc += 8;
        break;
      case GREEDY:
      case LAZY:
        at = beginRun(pc, at, operation === GREEDY);
        pc += 16;
        break;
      case SAVE:
        save(SLOTS + (<usize> load<i32>(pc, 4) << 2), at);
        pc += 8;
        break;
      case SPLIT:
        push(target(pc, 8), 0, at);
        pc = target(pc, 4);
        break;
      case WHOLE_RUN:
        at = atLeast(endOfRun(setAt(pc), at), at + load<i32>(pc, 8));
        pc += 16;
        break;
      case UNTIL:
        at = atLeast(findBefore(at, end, load<u8>(pc, 4)), at + load<i32>(pc, 8));
        pc += 16;
        break;
      case BYTES:
        at = bytesAt(pc, at);
        pc += 16;
        break;
      case JUMP:
        if (++steps > MAX_STEPS || top > STACK_END) return GAVE_UP;
        pc = target(pc, 4);
        break;
      case AT_END:
        if (at !== end) at = 0;
        pc += 4;
        break;
      case AT_START:
        if (at !== start) at = 0;
        pc += 4;
        break;
      default:
        return GAVE_UP;
    }
    if (at !== 0) continue;
    if (++steps > MAX_STEPS || top > STACK_END) return GAVE_UP;
    if (!goBack()) return NO_MATCH;
    pc = nextPc;
    at = nextAt;
  }
}

let nextPc: usize = 0;
let nextAt: usize = 0;

/** Back to the way that was noted last; false when there is none. */
function goBack(): bool {
  while (top !== STACK) {
    top -= WAY_BYTES;
    const pc: usize = load<u32>(top);
    const limit: usize = load<u32>(top, 4);
    const at: usize = load<u32>(top, 8);
    if (pc === 0) {
      store<u32>(limit, <u32> at);
      continue;
    }
    if (limit === 0) {
      nextPc = pc;
      nextAt = at;
      return true;
    }
    nextAt = continueRun(pc, limit, at);
    if (nextAt === 0) continue;
    nextPc = pc + 16;
    return true;
  }
  return false;
}

/** The first end of a run that is to be tried; the others are noted. */
function beginRun(pc: usize, at: usize, isGreedy: bool): usize {
  const least = at + load<i32>(pc, 8);
  const to = endOfRun(setAt(pc), at);
  if (to < least) return 0;
  const follows = load<i32>(pc, 12);
  const first = isGreedy ? lastBefore(least, to, follows) : firstFrom(least, to, follows);
  if (first === 0) return 0;
  if (isGreedy && first > least) push(pc, least, first);
  if (!isGreedy && first < to) push(pc, to, first);
  return first;
}

/** The next end of a run that is to be tried. */
function continueRun(pc: usize, limit: usize, at: usize): usize {
  const follows = load<i32>(pc, 12);
  const isGreedy = load<i32>(pc) === GREEDY;
  const next = isGreedy ? lastBefore(limit, at - 1, follows) : firstFrom(at + 1, limit, follows);
  if (next !== 0 && next !== limit) push(pc, limit, next);
  return next;
}

function save(slot: usize, at: usize): void {
  // Without another way to go, nothing is to be undone.
  if (top !== STACK) push(0, slot, load<u32>(slot));
  store<u32>(slot, <u32> at);
}

function target(pc: usize, offset: usize): usize {
  return PROGRAM + (<usize> load<i32>(pc + offset) << 2);
}

function atLeast(to: usize, least: usize): usize {
  return to >= least ? to : 0;
}

function bytesAt(pc: usize, at: usize): usize {
  const length = load<i32>(pc, 12);
  if (at + length > end) return 0;
  return (load<i32>(at) & load<i32>(pc, 8)) === load<i32>(pc, 4) ? at + length : 0;
}

function push(pc: usize, limit: usize, at: usize): void {
  store<u32>(top, <u32> pc);
  store<u32>(top, <u32> limit, 4);
  store<u32>(top, <u32> at, 8);
  top += WAY_BYTES;
}

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
