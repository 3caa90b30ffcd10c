import { copyBytes } from "./copy";
import { escapeLine, lineEnd } from "./escape";
import { noteAt, startNotes } from "./json-lines";
import { EDIT_TEXTS, MADE } from "./memory";

const QUOTE: u8 = 0x22;
const CLOSE_BRACE: u8 = 0x7d;

/**
 * Makes an object of each line: what lies in {@link EDIT_TEXTS}, up to the quote before the line, and the line as its last
 * value. The caller knows that they have room. Returns the position behind all of them, which begin at {@link MADE}.
 */
export function wrapLines(from: usize, to: usize, head: i32, seconds: f64, nanos: i32): usize {
  startNotes();
  let at = MADE;
  while (true) {
    const start = at;
    at = copyBytes(EDIT_TEXTS, head, at);
    at = escapeLine(from, to, at);
    store<u8>(at, QUOTE);
    store<u8>(at, CLOSE_BRACE, 1);
    at += 2;
    noteAt(MADE, start, at, seconds, nanos);
    if (lineEnd >= to) return at;
    from = lineEnd + 1;
  }
}
