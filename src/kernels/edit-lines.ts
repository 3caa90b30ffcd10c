// Changes the fields of records, without making values of them. What is to be done lies in EDITS, as words: the number of
// a step and what belongs to it. Texts are told by where they begin in EDIT_TEXTS and by their length. Names and prefixes are
// JSON, a prefix without the quote at its end.

import {
  append,
  count,
  entryAt,
  find,
  isChosen,
  lengthAt,
  MEMBERS,
  moveEntry,
  NOT_SURE,
  OTHERS,
  removeAt,
  setCount,
  startsWith,
  textAt,
  writeMembers,
} from "./edit-table";
import { lift, nest, startScratch } from "./edit-nesting";
import { MAX_MEMBERS, MEMBER_BYTES, readMembers } from "./members";
import { ANSWERS, EDIT_TEXTS, EDITS, SLACK, SPANS } from "./memory";

const OPEN_BRACE: u8 = 0x7b;
const CLOSE_BRACE: u8 = 0x7d;

/** Steps: see src/sdk/edit-program.ts. */
const END: i32 = 0;
/** name */
const REMOVE: i32 = 1;
/** prefix */
const REMOVE_PREFIX: i32 = 2;
/** name, value */
const SET: i32 = 3;
/** name, value */
const ADD: i32 = 4;
/** from, to, whether it replaces */
const RENAME: i32 = 5;
const COPY: i32 = 6;
/** prefix */
const MOVE_TO_START: i32 = 7;
const MOVE_TO_END: i32 = 8;
/** under, prefix to add, prefix to remove, how many words, names and prefixes, each with whether it is a prefix */
const NEST: i32 = 9;
/** from, prefix to add, prefix to remove */
const LIFT: i32 = 10;
/** whether to keep, how many words, names and prefixes, each with whether it is a prefix */
const SELECT: i32 = 11;

/** Members that all records have besides, behind their own. */
const TAIL: usize = memory.data((MAX_MEMBERS + 1) * MEMBER_BYTES);

let tailCount: i32 = 0;
let at: usize = 0;
let base: usize = 0;
let limit: usize = 0;

/** Behind what was written. */
export let editedTo: usize = 0;

/**
 * Begins with records that are written to `into`, up to `end`.
 *
 * @param tail where in {@link EDIT_TEXTS} an object is whose members all records have besides; -1 for none
 * @returns false when the tail has too many members
 */
export function startEdit(into: usize, end: usize, tail: i32): bool {
  at = into;
  base = into;
  limit = end - SLACK;
  editedTo = into;
  tailCount = tail < 0 ? 0 : readMembers(EDIT_TEXTS + tail, 0, 0, TAIL, 0);
  return tailCount >= 0;
}

/**
 * Edits the records from `first` to `last`, those whose answer is yes where answers count. Returns the number of one that
 * the caller must edit, or `last`.
 */
export function editLines(bytes: usize, first: i32, last: i32, areAsked: bool): i32 {
  for (let i = first; i < last; i++) {
    const span = SPANS + (<usize> i << 4);
    const isWanted = !areAsked || load<u8>(ANSWERS + i) !== 0;
    const start = at;
    if (!read(bytes, span) || (isWanted && !apply()) || !write()) return i;
    noteSpan(span, start, at);
    editedTo = at;
  }
  return last;
}

/** The record that {@link editLines} came back for is noted by the caller. */
export function noteEditedElsewhere(i: i32): void {
  noteSpan(SPANS + (<usize> i << 4), base, base + 1);
}

function noteSpan(span: usize, from: usize, to: usize): void {
  store<u32>(span, <u32> (from - base));
  store<u32>(span, <u32> (to - base), 4);
  store<u32>(span, <u32> (to - base), 8);
  store<u32>(span, <u32> (to - base), 12);
}

function read(bytes: usize, span: usize): bool {
  const from = bytes + load<u32>(span);
  const own = readMembers(from, bytes + load<u32>(span, 4), bytes + load<u32>(span, 8), MEMBERS, 0);
  if (own < 0 || own + tailCount > MAX_MEMBERS) return false;
  if (tailCount > 0) memory.copy(entryAt(own), TAIL, tailCount * MEMBER_BYTES);
  setCount(own + tailCount);
  startScratch();
  return true;
}

/** Writes the members as an object; false when there is no room. */
function write(): bool {
  let size: usize = 2;
  for (let k = 0; k < count; k++) {
    const entry = MEMBERS + k * MEMBER_BYTES;
    size += <usize> load<i32>(entry, 4) + <usize> load<i32>(entry, 12) + 2;
  }
  if (at + size > limit) return false;
  store<u8>(at, OPEN_BRACE);
  at = writeMembers(MEMBERS, count, at + 1);
  store<u8>(at++, CLOSE_BRACE);
  return true;
}

/** Does all steps; false when one of them takes values. */
function apply(): bool {
  let step: usize = EDITS;
  while (true) {
    switch (load<i32>(step)) {
      case END:
        return true;
      case REMOVE:
        removeAt(find(step, 4));
        step += 12;
        break;
      case REMOVE_PREFIX:
        removeAll(step);
        step += 12;
        break;
      case SET:
        removeAt(find(step, 4));
        if (!append(step)) return false;
        step += 20;
        break;
      case ADD:
        if (find(step, 4) < 0 && !append(step)) return false;
        step += 20;
        break;
      case RENAME:
        rename(step);
        step += 24;
        break;
      case COPY:
        if (!copy(step)) return false;
        step += 24;
        break;
      case MOVE_TO_START:
      case MOVE_TO_END:
        partition(step);
        step += 12;
        break;
      case NEST:
        if (!nest(step)) return false;
        step += 32 + load<i32>(step, 28) * 12;
        break;
      case LIFT:
        if (!lift(step)) return false;
        step += 28;
        break;
      case SELECT:
        if (!select(step)) return false;
        step += 12 + load<i32>(step, 8) * 12;
        break;
      default:
        return false;
    }
  }
}

function removeAll(step: usize): void {
  let kept = 0;
  for (let k = 0; k < count; k++) {
    const entry = entryAt(k);
    if (startsWith(entry, step, 4)) continue;
    moveEntry(entry, entryAt(kept++));
  }
  setCount(kept);
}

/** Removes the members that are chosen, or the others. */
function select(step: usize): bool {
  const keeps = load<i32>(step, 4);
  const words = load<i32>(step, 8);
  let kept = 0;
  for (let k = 0; k < count; k++) {
    const entry = entryAt(k);
    const chosen = isChosen(entry, step + 12, words);
    if (chosen === NOT_SURE) return false;
    if (chosen === keeps) moveEntry(entry, entryAt(kept++));
  }
  setCount(kept);
  return true;
}

/** The target takes the source's place. */
function rename(step: usize): void {
  if (find(step, 4) < 0 || !makeWay(step)) return;
  const k = find(step, 4);
  if (k < 0) return;
  const entry = entryAt(k);
  store<u32>(entry, <u32> textAt(step, 12));
  store<i32>(entry, lengthAt(step, 12), 4);
}

/** The target comes right behind the source. */
function copy(step: usize): bool {
  if (find(step, 4) < 0 || !makeWay(step)) return true;
  const k = find(step, 4);
  if (k < 0) return true;
  if (count === MAX_MEMBERS) return false;
  const entry = entryAt(k);
  memory.copy(entry + MEMBER_BYTES, entry, (count - k) * MEMBER_BYTES);
  setCount(count + 1);
  store<u32>(entry + MEMBER_BYTES, <u32> textAt(step, 12));
  store<i32>(entry + MEMBER_BYTES, lengthAt(step, 12), 4);
  return true;
}

/** Removes what has the target's name; false when it is there and is to stay. */
function makeWay(step: usize): bool {
  const target = find(step, 12);
  if (target < 0) return true;
  if (load<i32>(step, 20) === 0) return false;
  removeAt(target);
  return true;
}

/** Those with the prefix come first, or last. */
function partition(step: usize): void {
  const first = load<i32>(step) === MOVE_TO_START;
  let kept = 0;
  let moved = 0;
  for (let k = 0; k < count; k++) {
    const entry = entryAt(k);
    if (startsWith(entry, step, 4) === first) moveEntry(entry, entryAt(kept++));
    else moveEntry(entry, OTHERS + MEMBER_BYTES * moved++);
  }
  memory.copy(entryAt(kept), OTHERS, moved * MEMBER_BYTES);
}
