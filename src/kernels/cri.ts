// Container logs as CRI runtimes write them, `TIME STREAM P|F CONTENT`, from bytes to JSON.

import { copyBytes } from "./copy";
import { escapeLine, lineEnd } from "./escape";
import { findByte } from "./find";
import { count, DONE, noteAt, startNotes, TOO_MANY, UNKNOWN_TIME } from "./json-lines";
import { MADE, MAX_LINES } from "./memory";
import { nsec, readTime, sec } from "./times";

const LF: u8 = 0x0a;
const SPACE: u8 = 0x20;
const FULL: u8 = 0x46;
const PARTIAL: u8 = 0x50;
/** ` stdout ` and ` stderr ` */
const STDOUT: u64 = 0x2074_756f_6474_7320;
const STDERR: u64 = 0x2072_7265_6474_7320;

/** A line has another form: the caller reads the block in his own way. */
const OTHER_FORM: i32 = 4;

/** Parts of unfinished records, of each stream. */
const MAX_PARTS: i32 = 1024;
/** A part: positions of its line, behind its time, of its content, and of its line feed. */
const PART_BYTES: i32 = 16;
const STREAM_BYTES: i32 = MAX_PARTS * PART_BYTES;
/** Of stderr, and behind them of stdout. */
export const PARTS: usize = memory.data(2 * 1024 * 16);
const OPEN: usize = memory.data(8);

/** What can be in a time, and stands for itself in JSON: digits, letters and `+-.:`. */
const IN_TIME: usize = memory.data(256);
for (let c = 0; c < 256; c++) {
  const isDigit = c >= 0x30 && c <= 0x39;
  const isOther = c === 0x2b || c === 0x2d || c === 0x2e || c === 0x3a;
  const isZone = (c | 0x20) === 0x74 || (c | 0x20) === 0x7a;
  store<u8>(IN_TIME + <usize> c, isDigit || isOther || isZone ? 1 : 0);
}

// `{"time":"`
const TIME: usize = memory.data<u8>([0x7b, 0x22, 0x74, 0x69, 0x6d, 0x65, 0x22, 0x3a, 0x22]);
const TIME_LENGTH: i32 = 9;
// What stands between time and content, for each stream and for F and P: `","stream":"stdout","_p":"F","log":"`.
const AFTER_LENGTH: i32 = 36;
const AFTER_BYTES: i32 = 48;
const AFTER: usize = memory.data(4 * 48);
const AFTER_STREAM: usize = memory.data<u8>([
  0x22,
  0x2c,
  0x22,
  0x73,
  0x74,
  0x72,
  0x65,
  0x61,
  0x6d,
  0x22,
  0x3a,
  0x22,
  0x73,
  0x74,
  0x64,
]);
const NAMES: usize = memory.data<u8>([0x65, 0x72, 0x72, 0x6f, 0x75, 0x74]);
const AFTER_NAME: usize = memory.data<u8>([0x22, 0x2c, 0x22, 0x5f, 0x70, 0x22, 0x3a, 0x22]);
const AFTER_FLAG: usize = memory.data<u8>([
  0x22,
  0x2c,
  0x22,
  0x6c,
  0x6f,
  0x67,
  0x22,
  0x3a,
  0x22,
]);
for (let which = 0; which < 4; which++) {
  const at = AFTER + which * AFTER_BYTES;
  memory.copy(at, AFTER_STREAM, 15);
  memory.copy(at + 15, NAMES + (which & 1) * 3, 3);
  memory.copy(at + 18, AFTER_NAME, 8);
  store<u8>(at + 26, (which & 2) !== 0 ? PARTIAL : FULL);
  memory.copy(at + 27, AFTER_FLAG, 9);
}

let at: usize = MADE;
let line: usize = 0;
let toldFor: usize = 0;
let toldSec: f64 = 0;
let toldNsec: i32 = 0;

/** Behind the JSON that was made. */
export let madeTo: usize = 0;
/** Where the time is that the caller must tell. */
export let criTimeFrom: usize = 0;
export let criTimeTo: usize = 0;
/** The stream of the first line, 0 for stderr and 1 for stdout, and whether there are lines of both. */
export let firstStream: i32 = -1;
export let hasBoth: bool = false;
export let openErr: i32 = 0;
export let openOut: i32 = 0;

/** Begins with a block. */
export function startCri(from: usize): void {
  at = MADE;
  line = from;
  toldFor = 0;
  firstStream = -1;
  hasBoth = false;
  openErr = 0;
  openOut = 0;
  store<i32>(OPEN, 0);
  store<i32>(OPEN + 4, 0);
  startNotes();
}

/** The time that {@link readCri} came back for. */
export function tellTime(seconds: f64, nanos: i32): void {
  toldFor = criTimeFrom;
  toldSec = seconds;
  toldNsec = nanos;
}

/** Reads lines up to the end of the block, and goes on where it came back the last time. */
export function readCri(to: usize): i32 {
  while (line < to) {
    if (count === MAX_LINES) return TOO_MANY;
    const timeTo = findByte(line, SPACE);
    const name = load<u64>(timeTo);
    const isOut = name === STDOUT;
    if (timeTo === line || (!isOut && name !== STDERR)) return OTHER_FORM;
    const flag = load<u8>(timeTo, 8);
    if ((flag !== FULL && flag !== PARTIAL) || load<u8>(timeTo, 9) !== SPACE) return OTHER_FORM;
    const content = timeTo + 10;
    if (content > to) return OTHER_FORM;
    const stream: i32 = isOut ? 1 : 0;
    const open = load<i32>(OPEN + (<usize> stream << 2));
    if (flag === PARTIAL || open > 0) {
      if (!isTime(line, timeTo)) return OTHER_FORM;
      const end = findByte(content, LF);
      if (open === MAX_PARTS) return TOO_MANY;
      storePart(stream, open, line, timeTo, content, end);
      if (flag === PARTIAL) store<i32>(OPEN + (<usize> stream << 2), open + 1);
      else {
        const reason = join(stream, open + 1);
        if (reason !== DONE) return reason;
      }
      see(stream);
      line = end + 1;
      continue;
    }
    const reason = whole(line, timeTo, content, stream, to);
    if (reason !== DONE) return reason;
    see(stream);
  }
  openErr = load<i32>(OPEN);
  openOut = load<i32>(OPEN + 4);
  madeTo = at;
  return DONE;
}

function see(stream: i32): void {
  if (firstStream === -1) firstStream = stream;
  else if (firstStream !== stream) hasBoth = true;
}

function isTime(from: usize, to: usize): bool {
  for (; from < to; from++) if (load<u8>(IN_TIME + load<u8>(from)) === 0) return false;
  return true;
}

function storePart(
  stream: i32,
  i: i32,
  from: usize,
  timeTo: usize,
  content: usize,
  end: usize,
): void {
  const part = PARTS + stream * STREAM_BYTES + i * PART_BYTES;
  store<u32>(part, <u32> from);
  store<u32>(part, <u32> timeTo, 4);
  store<u32>(part, <u32> content, 8);
  store<u32>(part, <u32> end, 12);
}

/** A record of one line. */
function whole(from: usize, timeTo: usize, content: usize, stream: i32, to: usize): i32 {
  const start = at;
  const reason = head(from, timeTo, AFTER + stream * AFTER_BYTES);
  if (reason !== DONE) return reason;
  at = escapeLine(content, to, at);
  end(start);
  line = lineEnd + 1;
  return DONE;
}

/** A record of several lines: the fields of the first, and the content of all. */
function join(stream: i32, parts: i32): i32 {
  const start = at;
  const first = PARTS + stream * STREAM_BYTES;
  const reason = head(load<u32>(first), load<u32>(first, 4), AFTER + (2 + stream) * AFTER_BYTES);
  if (reason !== DONE) return reason;
  for (let i = 0; i < parts; i++) {
    const part = first + i * PART_BYTES;
    at = escapeLine(load<u32>(part, 8), load<u32>(part, 12), at);
  }
  store<i32>(OPEN + (<usize> stream << 2), 0);
  end(start);
  return DONE;
}

/** Writes what stands in front of the content, once the time is known. */
function head(from: usize, timeTo: usize, afterTime: usize): i32 {
  if (toldFor !== from && !readTime(from, timeTo)) {
    if (!isTime(from, timeTo)) return OTHER_FORM;
    criTimeFrom = from;
    criTimeTo = timeTo;
    return UNKNOWN_TIME;
  }
  if (toldFor !== from) {
    toldSec = sec;
    toldNsec = nsec;
  }
  at = copyBytes(TIME, TIME_LENGTH, at);
  at = copyBytes(from, <i32> (timeTo - from), at);
  at = copyBytes(afterTime, AFTER_LENGTH, at);
  return DONE;
}

function end(start: usize): void {
  // `"}`
  store<u16>(at, 0x7d22);
  at += 2;
  noteAt(MADE, start, at, toldSec, toldNsec);
}
