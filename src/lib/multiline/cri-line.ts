import { compilePattern, type Pattern } from "../pattern.ts";

/** A line as the CRI container runtimes write it: `TIME STREAM P|F CONTENT`. Reused: read it at once. */
export interface CriLine {
  time: string;
  stream: string;
  /** `F` for a full line or the last part of one, `P` for another part. */
  part: string;
  content: string;
}

const SPACE = 0x20;
const FULL = 0x46;
const PARTIAL = 0x50;
/** ` stdout ` and ` stderr ` are of the same length. */
const STREAM_LENGTH = 8;

const line: CriLine = { time: "", stream: "", part: "", content: "" };
const GENERAL = "^(?<time>.+?) (?<stream>stdout|stderr) (?<_p>F|P) (?<log>.*)$";
/** Compiled when a line needs it: few do, and it takes a tenth of the whole start. */
let general: Pattern | undefined;

/** Takes a line apart, or returns `null` when it is none of CRI's. */
export function readCriLine(text: string): CriLine | null {
  const space = text.indexOf(" ");
  const behind = space + STREAM_LENGTH;
  const part = text.charCodeAt(behind);
  // The usual line: the first space ends the time. Whatever else the expression allows is rare.
  if (
    space <= 0 || (part !== FULL && part !== PARTIAL) || text.charCodeAt(behind + 1) !== SPACE ||
    text.charCodeAt(behind - 1) !== SPACE
  ) return readGeneral(text);
  const isOut = text.startsWith(" stdout", space);
  if ((!isOut && !text.startsWith(" stderr", space)) || text.includes("\n")) {
    return readGeneral(text);
  }
  line.time = text.slice(0, space);
  line.stream = isOut ? "stdout" : "stderr";
  line.part = part === FULL ? "F" : "P";
  line.content = text.slice(behind + 2);
  return line;
}

function readGeneral(text: string): CriLine | null {
  const match = (general ??= compilePattern(GENERAL)).exec(text);
  if (match === null) return null;
  line.time = match[1]!;
  line.stream = match[2]!;
  line.part = match[3]!;
  line.content = match[4]!;
  return line;
}
