// Answers a question about one field of each record, without making values of records.

import { hasHigh } from "./find";
import { ANSWERS, EDIT_TEXTS, SPANS, VALUES } from "./memory";
import { findMember, foundTo, hasEscapes, isSame } from "./members";
import { GAVE_UP, matchLine } from "./regex";

const QUOTE: u8 = 0x22;
const OPEN_BRACKET: u8 = 0x5b;
const OPEN_BRACE: u8 = 0x7b;
const LOWER_T: u8 = 0x74;
const LOWER_F: u8 = 0x66;

/** What is asked, as in src/sdk/field-question.ts; anything else is whether an expression matches. */
const EXISTS: i32 = 0;
const EQUALS: i32 = 1;

/** Answers. With {@link UNSURE} the caller must look at the value itself. */
const NO: u8 = 0;
const YES: u8 = 1;
const UNSURE: u8 = 2;

let names: i32 = 0;
let kind: i32 = EXISTS;
let expectedAt: usize = 0;
let expectedLength: i32 = 0;
let hasProgram: bool = false;
let slots: i32 = 0;
let isAnchored: bool = false;
let onlyAscii: bool = false;
let takesWords: bool = false;

/**
 * A question. In {@link EDIT_TEXTS} are the lengths of the names that lead to the field, as words, the names as JSON one
 * behind the other, and the text that the field is to be equal to, as JSON.
 */
export function askThat(
  question: i32,
  nameCount: i32,
  equalAt: i32,
  equalLength: i32,
  program: bool,
  slotCount: i32,
  anchored: bool,
  ascii: bool,
  words: bool,
): void {
  kind = question;
  names = nameCount;
  expectedAt = EDIT_TEXTS + equalAt;
  expectedLength = equalLength;
  hasProgram = program;
  slots = slotCount;
  isAnchored = anchored;
  onlyAscii = ascii;
  takesWords = words;
}

/** Answers for the records from `first` to `last`. Returns how many answers are not sure. */
export function askLines(bytes: usize, first: i32, last: i32): i32 {
  let unsure = 0;
  for (let i = first; i < last; i++) {
    const answer = ask(bytes, SPANS + (<usize> i << 4), VALUES + (<usize> i << 3));
    store<u8>(ANSWERS + i, answer);
    if (answer === UNSURE) unsure++;
  }
  return unsure;
}

function ask(bytes: usize, span: usize, noted: usize): u8 {
  const value = find(
    bytes + load<u32>(span),
    bytes + load<u32>(span, 4),
    bytes + load<u32>(span, 8),
  );
  if (value === 0) return NO;
  if (kind === EXISTS) return YES;
  const length = <i32> (foundTo - value);
  if (kind === EQUALS) {
    return length === expectedLength && isSame(value, expectedAt, length) ? YES : NO;
  }
  const first = load<u8>(value);
  if (first !== QUOTE) {
    const isWord = takesWords && (first === LOWER_T || first === LOWER_F);
    return isWord ? match(value, foundTo, value, foundTo, noted) : NO;
  }
  return match(value + 1, foundTo - 1, value, foundTo, noted);
}

/** The value at the end of the path, or 0. Its first name answers for all below it where it is no container. */
function find(from: usize, cutFrom: usize, cutTo: usize): usize {
  let name = EDIT_TEXTS + (<usize> names << 2);
  let value: usize = from;
  for (let k = 0; k < names; k++) {
    const length = load<i32>(EDIT_TEXTS + (<usize> k << 2));
    if (k > 0) {
      const c = load<u8>(value);
      if (c !== OPEN_BRACE) return k > 1 || c === OPEN_BRACKET ? 0 : value;
    }
    value = findMember(value, cutFrom, cutTo, name, length);
    if (value === 0) return 0;
    name += length;
  }
  return value;
}

function match(from: usize, to: usize, value: usize, end: usize, noted: usize): u8 {
  const isPlain = !hasEscapes && hasProgram && !(onlyAscii && hasHigh(from, to));
  const result = isPlain ? matchLine(from, to, slots, isAnchored) : GAVE_UP;
  if (result !== GAVE_UP) return <u8> result;
  store<u32>(noted, <u32> value);
  store<u32>(noted, <u32> end, 4);
  return UNSURE;
}
