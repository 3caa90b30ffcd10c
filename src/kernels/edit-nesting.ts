import { copyBytes } from "./copy";
import {
  count,
  entryAt,
  find,
  lengthAt,
  MEMBERS,
  moveEntry,
  OTHERS,
  removeAt,
  setCount,
  startsWith,
  textAt,
  writeMembers,
} from "./edit-table";
import {
  indexOfMember,
  isOddKey,
  isSame,
  MAX_MEMBERS,
  MEMBER_BYTES,
  noteMember,
  readMembers,
} from "./members";
import { SCRATCH, SLACK } from "./memory";

const QUOTE: u8 = 0x22;
const OPEN_BRACE: u8 = 0x7b;
const CLOSE_BRACE: u8 = 0x7d;

const SCRATCH_BYTES: usize = 0x8_0000;

let scratch: usize = SCRATCH;

/** Begins with a record: what was made of the one before is given up. */
export function startScratch(): void {
  scratch = SCRATCH;
}

/** Moves members into a map; false when that takes values. */
export function nest(step: usize): bool {
  let kept = 0;
  let nested = 0;
  let size: usize = 2;
  const added = lengthAt(step, 12);
  for (let k = 0; k < count; k++) {
    const entry = entryAt(k);
    if (!isNested(entry, step)) moveEntry(entry, entryAt(kept++));
    else {
      moveEntry(entry, OTHERS + MEMBER_BYTES * nested++);
      size += <usize> (load<i32>(entry, 4) + load<i32>(entry, 12) + added + 2);
    }
  }
  setCount(kept);
  if (nested === 0) return true;
  // What stood there before is replaced, and the map comes last.
  removeAt(find(step, 4));
  if (!renameAll(OTHERS, nested, step)) return false;
  // The new names are there already.
  if (scratch + size > SCRATCH + SCRATCH_BYTES - SLACK) return false;
  const value = scratch;
  store<u8>(scratch, OPEN_BRACE);
  scratch = writeMembers(OTHERS, nested, scratch + 1);
  store<u8>(scratch++, CLOSE_BRACE);
  noteMember(entryAt(count), textAt(step, 4), lengthAt(step, 4), value, <i32> (scratch - value));
  setCount(count + 1);
  return true;
}

function isNested(entry: usize, step: usize): bool {
  const words = load<i32>(step, 28);
  for (let k = 0; k < words; k++) {
    const offset = 32 + <usize> k * 12;
    const isPrefix = load<i32>(step + offset, 8) !== 0;
    const found = isPrefix
      ? startsWith(entry, step, offset)
      : load<i32>(entry, 4) === lengthAt(step, offset) &&
        isSame(load<u32>(entry), textAt(step, offset), lengthAt(step, offset));
    if (found) return true;
  }
  return false;
}

/** Adds a prefix to names, or takes one off; false when a name comes twice then, or would not stay in its place. */
function renameAll(list: usize, members: i32, step: usize): bool {
  const added = lengthAt(step, 12);
  const removed = lengthAt(step, 20);
  if (added === 0 && removed === 0) return true;
  for (let k = 0; k < members; k++) {
    const entry = list + k * MEMBER_BYTES;
    const key = <usize> load<u32>(entry);
    const length = load<i32>(entry, 4);
    if (added > 0) {
      if (scratch + added + length > SCRATCH + SCRATCH_BYTES - SLACK) return false;
      const name = scratch;
      scratch = copyBytes(textAt(step, 12), added, scratch);
      scratch = copyBytes(key + 1, length - 1, scratch);
      noteName(entry, name, added + length - 1);
    } else if (startsWith(entry, step, 20)) {
      if (scratch + length > SCRATCH + SCRATCH_BYTES - SLACK) return false;
      const name = scratch;
      store<u8>(scratch, QUOTE);
      scratch = copyBytes(key + removed, length - removed, scratch + 1);
      noteName(entry, name, length - removed + 1);
      if (indexOfMember(list, k, name, length - removed + 1) >= 0) return false;
    } else if (removed > 0 && indexOfMember(list, k, key, length) >= 0) return false;
    if (isOddKey(load<u32>(entry))) return false;
  }
  return true;
}

function noteName(entry: usize, name: usize, length: i32): void {
  store<u32>(entry, <u32> name);
  store<i32>(entry, length, 4);
}

/** Takes members out of a map; false when that takes values. */
export function lift(step: usize): bool {
  const place = find(step, 4);
  if (place < 0) return true;
  const value = <usize> load<u32>(entryAt(place), 8);
  if (load<u8>(value) !== OPEN_BRACE) return false;
  const lifted = readMembers(value, 0, 0, OTHERS, 0);
  if (lifted < 0 || !renameAll(OTHERS, lifted, step)) return false;
  removeAt(place);
  for (let k = 0; k < lifted; k++) {
    const entry = OTHERS + k * MEMBER_BYTES;
    removeAt(indexOfMember(MEMBERS, count, load<u32>(entry), load<i32>(entry, 4)));
    if (count === MAX_MEMBERS) return false;
    moveEntry(entry, entryAt(count));
    setCount(count + 1);
  }
  return true;
}
