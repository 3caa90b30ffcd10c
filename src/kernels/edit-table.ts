// The members of the record that is being edited, in their order, and what steps tell of texts.

import { copyBytes } from "./copy";
import { indexOfMember, isSame, MAX_MEMBERS, MEMBER_BYTES, noteMember } from "./members";
import { EDIT_TEXTS } from "./memory";

const COMMA: u8 = 0x2c;
const COLON: u8 = 0x3a;

export const MEMBERS: usize = memory.data((MAX_MEMBERS + 1) * MEMBER_BYTES);
/** Room for as many. */
export const OTHERS: usize = memory.data((MAX_MEMBERS + 1) * MEMBER_BYTES);

export let count: i32 = 0;

export function setCount(members: i32): void {
  count = members;
}

export function textAt(step: usize, offset: usize): usize {
  return EDIT_TEXTS + load<i32>(step + offset);
}

export function lengthAt(step: usize, offset: usize): i32 {
  return load<i32>(step + offset, 4);
}

export function entryAt(k: i32): usize {
  return MEMBERS + k * MEMBER_BYTES;
}

/** The number of the member that is named there, or -1. */
export function find(step: usize, offset: usize): i32 {
  return indexOfMember(MEMBERS, count, textAt(step, offset), lengthAt(step, offset));
}

export function removeAt(k: i32): void {
  if (k < 0) return;
  count--;
  memory.copy(entryAt(k), entryAt(k + 1), (count - k) * MEMBER_BYTES);
}

export function startsWith(entry: usize, step: usize, offset: usize): bool {
  const length = lengthAt(step, offset);
  return load<i32>(entry, 4) > length && isSame(load<u32>(entry), textAt(step, offset), length);
}

export function moveEntry(from: usize, to: usize): void {
  v128.store(to, v128.load(from));
}

/** A member of the step's name and value. */
export function append(step: usize): bool {
  if (count === MAX_MEMBERS) return false;
  noteMember(
    entryAt(count++),
    textAt(step, 4),
    lengthAt(step, 4),
    textAt(step, 12),
    lengthAt(step, 12),
  );
  return true;
}

/** Members that stand beside each other as they did are one copy. */
export function writeMembers(list: usize, members: i32, to: usize): usize {
  const end = list + members * MEMBER_BYTES;
  for (let entry = list; entry < end;) {
    if (entry !== list) store<u8>(to++, COMMA);
    const key = <usize> load<u32>(entry);
    const keyLength = load<i32>(entry, 4);
    const value = <usize> load<u32>(entry, 8);
    let valueEnd = value + load<i32>(entry, 12);
    entry += MEMBER_BYTES;
    if (key + keyLength + 1 !== value) {
      to = copyBytes(key, keyLength, to);
      store<u8>(to++, COLON);
      to = copyBytes(value, <i32> (valueEnd - value), to);
      continue;
    }
    while (entry < end && load<u8>(valueEnd) === COMMA && isNext(entry, valueEnd + 1)) {
      valueEnd = <usize> load<u32>(entry, 8) + load<i32>(entry, 12);
      entry += MEMBER_BYTES;
    }
    to = copyBytes(key, <i32> (valueEnd - key), to);
  }
  return to;
}

/** Whether the member stands there, its value behind its key. */
function isNext(entry: usize, place: usize): bool {
  const key = <usize> load<u32>(entry);
  return key === place && key + load<i32>(entry, 4) + 1 === <usize> load<u32>(entry, 8);
}

const ASCII_CASE: u8 = 0x20;

/** What {@link isChosen} says of a name that only a JavaScript string can be compared with. */
export const NOT_SURE: i32 = -1;

/**
 * Whether a member is one of those named by so many words at `words`, whatever the case of its letters: 0, 1, or
 * {@link NOT_SURE}.
 */
export function isChosen(entry: usize, words: usize, count: i32): i32 {
  const key = <usize> load<u32>(entry);
  const length = load<i32>(entry, 4);
  for (let i = 0; i < length; i++) if (load<u8>(key + i) >= 0x80) return NOT_SURE;
  for (let k = 0; k < count; k++) {
    const word = words + k * 12;
    const wanted = lengthAt(word, 0);
    const isPrefix = load<i32>(word, 8) !== 0;
    if (isPrefix ? length <= wanted : length !== wanted) continue;
    if (isSameInAnyCase(key, textAt(word, 0), wanted)) return 1;
  }
  return 0;
}

/** The second is in lower case. */
function isSameInAnyCase(a: usize, b: usize, length: i32): bool {
  for (let i = 0; i < length; i++) {
    const c = load<u8>(a + i);
    const lower = <u8> (c - 0x41) < 26 ? c | ASCII_CASE : c;
    if (lower !== load<u8>(b + i)) return false;
  }
  return true;
}
