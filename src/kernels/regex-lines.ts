import { escapeLine } from "./escape";
import { copyBytes } from "./copy";
import { findByte, hasHigh } from "./find";
import {
  count,
  DONE,
  noteAt,
  ODD_LINE,
  setLine,
  startNotes,
  TOO_MANY,
  UNKNOWN_TIME,
} from "./json-lines";
import { isPlainNumber } from "./json-scan";
import { FIELDS, MADE, MAX_LINES, OUT, SLACK } from "./memory";
import { MATCHED, matchLine, SLOTS } from "./regex";
import { nsec, readTime, sec } from "./times";

const LF: u8 = 0x0a;
const QUOTE: u8 = 0x22;
const COMMA: u8 = 0x2c;
const OPEN_BRACE: u8 = 0x7b;
const CLOSE_BRACE: u8 = 0x7d;
const LONGEST_ESCAPE: usize = 6;

/** A field: its first slot, its type, where its name is, counted from {@link FIELDS}, and how long that is. */
const FIELD_BYTES: i32 = 16;
/** Types of fields. What is none in its plain form is left to the caller. */
const TEXT: i32 = 0;
const INTEGER: i32 = 1;
const FLOAT: i32 = 2;
const BOOL: i32 = 3;

let slots: i32 = 0;
let isAnchored: bool = false;
let onlyAscii: bool = false;
let fields: i32 = 0;
let namesLength: i32 = 0;
let timeSlot: i32 = -1;
let keepsTime: bool = false;

let at: usize = MADE;
let line: usize = 0;
let toldFor: usize = 0;
let toldSec: f64 = 0;
let toldNsec: i32 = 0;

/** Behind the JSON that was made. */
export let regexTo: usize = 0;
/** Where the time is that the caller must tell. */
export let regexTimeFrom: usize = 0;
export let regexTimeTo: usize = 0;

/** The expression that is in the memory now. */
export function useRegex(
  slotCount: i32,
  anchored: bool,
  ascii: bool,
  fieldCount: i32,
  namesBytes: i32,
  timeAt: i32,
  keeps: bool,
): void {
  slots = slotCount;
  isAnchored = anchored;
  onlyAscii = ascii;
  fields = fieldCount;
  namesLength = namesBytes;
  timeSlot = timeAt;
  keepsTime = keeps;
}

/** Begins with a block. */
export function startRegex(from: usize): void {
  at = MADE;
  line = from;
  toldFor = 0;
  startNotes();
}

/** The time that {@link readRegex} came back for. */
export function tellRegexTime(seconds: f64, nanos: i32): void {
  toldFor = line;
  toldSec = seconds;
  toldNsec = nanos;
}

/** The line that {@link readRegex} came back for was noted by the caller. */
export function skipLine(next: usize): void {
  line = next;
}

/** Reads lines up to the end of the block, and goes on where it came back the last time. */
export function readRegex(to: usize, defaultSec: f64, defaultNsec: i32): i32 {
  while (line < to) {
    if (count === MAX_LINES) return TOO_MANY;
    const end = findByte(line, LF);
    const longest = (end - line) * LONGEST_ESCAPE + namesLength + SLACK;
    if (at + longest > OUT - SLACK) return TOO_MANY;
    if ((onlyAscii && hasHigh(line, end)) || matchLine(line, end, slots, isAnchored) !== MATCHED) {
      setLine(line);
      return ODD_LINE;
    }
    const reason = time(defaultSec, defaultNsec);
    if (reason !== DONE) return reason;
    const start = at;
    if (!writeFields()) {
      at = start;
      setLine(line);
      return ODD_LINE;
    }
    noteAt(MADE, start, at, toldSec, toldNsec);
    line = end + 1;
  }
  regexTo = at;
  return DONE;
}

/** Finds out the time of the line that matched. */
function time(defaultSec: f64, defaultNsec: i32): i32 {
  if (toldFor === line) return DONE;
  toldSec = defaultSec;
  toldNsec = defaultNsec;
  if (timeSlot < 0) return DONE;
  const from = load<u32>(SLOTS + (timeSlot << 2));
  const to = load<u32>(SLOTS + (timeSlot << 2), 4);
  if (from === to) return DONE;
  if (readTime(from, to)) {
    toldSec = sec;
    toldNsec = nsec;
    return DONE;
  }
  setLine(line);
  regexTimeFrom = from;
  regexTimeTo = to;
  return UNKNOWN_TIME;
}

/** Writes an object of the fields that are not empty; false when one of them is not in its plain form, or none took part. */
function writeFields(): bool {
  let tookPart = false;
  let follows = false;
  store<u8>(at++, OPEN_BRACE);
  for (let i = 0; i < fields; i++) {
    const field = FIELDS + i * FIELD_BYTES;
    const slot = load<i32>(field);
    const from: usize = load<u32>(SLOTS + (slot << 2));
    const to: usize = load<u32>(SLOTS + (slot << 2), 4);
    if (from === 0) continue;
    tookPart = true;
    if (from === to || (slot === timeSlot && !keepsTime)) continue;
    if (follows) store<u8>(at++, COMMA);
    follows = true;
    at = copyBytes(FIELDS + load<i32>(field, 8), load<i32>(field, 12), at);
    const type = load<i32>(field, 4);
    if (type === TEXT || (type === BOOL && isNoBool(load<u8>(from)))) {
      store<u8>(at, QUOTE);
      at = escapeLine(from, to, at + 1);
      store<u8>(at++, QUOTE);
    } else if (isPlain(type, from, to)) at = copyBytes(from, <i32> (to - from), at);
    else return false;
  }
  store<u8>(at++, CLOSE_BRACE);
  return tookPart;
}

/** By its first letter; a text that is no truth value stays text. */
function isNoBool(letter: u8): bool {
  const lower = letter | 0x20;
  return lower !== 0x74 && lower !== 0x66;
}

/** Whether the text is what JSON has for a value of the type. */
function isPlain(type: i32, from: usize, to: usize): bool {
  if (type === INTEGER) return isPlainNumber(from, to, false);
  if (type === FLOAT) return isPlainNumber(from, to, true);
  if (type !== BOOL) return false;
  const length = to - from;
  if (length === 4) return load<u32>(from) === 0x6575_7274;
  return length === 5 && load<u32>(from) === 0x736c_6166 && load<u8>(from, 4) === 0x65;
}
