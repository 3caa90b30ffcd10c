import { memberFrom, ODD, scanObject, valueFrom, valueTo } from "./json-scan";
import { BLOCK, MAX_LINES, NANOS, SECONDS, SPANS } from "./memory";
import { nsec, readTime, sec } from "./times";

const LF: u8 = 0x0a;
const COMMA: u8 = 0x2c;

/** Why {@link scanLines} came back. */
export const DONE: i32 = 0;
/** The line must be parsed, or is none that begins with an object. */
export const ODD_LINE: i32 = 1;
/** The caller must read the time of the line. */
export const UNKNOWN_TIME: i32 = 2;
/** There are more lines than can be noted. */
export const TOO_MANY: i32 = 3;

/** Where a line is that {@link scanLines} came back for, and how many lines it has noted. */
export let lineFrom: usize = 0;
export let lineTo: usize = 0;
export let timeFrom: usize = 0;
export let timeTo: usize = 0;
export let count: i32 = 0;

/**
 * Notes where the records of a block's lines are, and their times. Each line ends with a line feed.
 *
 * @param keepsTime whether the time stays a member of its record
 * @param defaultSec the time of records that have none, with `defaultNsec`
 */
export function scanLines(
  from: usize,
  to: usize,
  noted: i32,
  keepsTime: bool,
  defaultSec: f64,
  defaultNsec: i32,
): i32 {
  count = noted;
  while (from < to) {
    if (count === MAX_LINES) return TOO_MANY;
    const end = scanObject(from, to);
    if (end === ODD || load<u8>(end) !== LF) {
      lineFrom = from;
      return ODD_LINE;
    }
    if (memberFrom === 0) note(from, end, end, end, defaultSec, defaultNsec);
    else if (!readTime(valueFrom + 1, valueTo - 1)) {
      lineFrom = from;
      lineTo = end;
      timeFrom = valueFrom + 1;
      timeTo = valueTo - 1;
      return UNKNOWN_TIME;
    } else if (keepsTime) note(from, end, end, end, sec, nsec);
    else noteWithout(from, end, sec, nsec);
    from = end + 1;
  }
  return DONE;
}

/** Notes the line that {@link scanLines} came back for with a time that the caller has read. */
export function noteTimed(keepsTime: bool, seconds: f64, nanos: i32): void {
  if (keepsTime) note(lineFrom, lineTo, lineTo, lineTo, seconds, nanos);
  else noteWithout(lineFrom, lineTo, seconds, nanos);
}

/** Notes a record that is not in the block. */
export function noteElsewhere(seconds: f64, nanos: i32): void {
  // An object starts with its brace, and there is nothing behind that.
  note(BLOCK, BLOCK + 1, BLOCK + 1, BLOCK + 1, seconds, nanos);
}

/** The line that is come back for. */
export function setLine(from: usize): void {
  lineFrom = from;
}

export function startNotes(): void {
  count = 0;
}

/** Notes an object whose positions count from `base`. */
export function noteAt(base: usize, from: usize, end: usize, seconds: f64, nanos: i32): void {
  note(
    from - base + BLOCK,
    end - base + BLOCK,
    end - base + BLOCK,
    end - base + BLOCK,
    seconds,
    nanos,
  );
}

/** Without the member that the scanner has noted, and one of the commas beside it. */
function noteWithout(from: usize, end: usize, seconds: f64, nanos: i32): void {
  const isFirst = memberFrom === from + 1;
  const isLast = load<u8>(valueTo) !== COMMA;
  const cutFrom = isLast && !isFirst ? memberFrom - 1 : memberFrom;
  note(from, cutFrom, isLast ? valueTo : valueTo + 1, end, seconds, nanos);
}

function note(
  from: usize,
  cutFrom: usize,
  cutTo: usize,
  end: usize,
  seconds: f64,
  nanos: i32,
): void {
  const span = SPANS + (<usize> count << 4);
  store<u32>(span, <u32> (from - BLOCK));
  store<u32>(span, <u32> (cutFrom - BLOCK), 4);
  store<u32>(span, <u32> (cutTo - BLOCK), 8);
  store<u32>(span, <u32> (end - BLOCK), 12);
  store<f64>(SECONDS + (<usize> count << 3), seconds);
  store<i32>(NANOS + (<usize> count << 2), nanos);
  count++;
}
