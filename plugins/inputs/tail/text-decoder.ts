/**
 * How the bytes of a file become text, and where a line may end in them. Every function works on whole
 * lines: the bytes up to and including a line break.
 */
export interface TextEncoding {
  /** Bytes per line break: 1, or 2 for UTF-16. */
  readonly breakBytes: 1 | 2;
  /** The end of the last whole line in `from`..`to`, or -1 when there is none. */
  lastLineEnd(buffer: Buffer, from: number, to: number): number;
  /** The end of the first whole line in `from`..`to`, or -1. */
  firstLineEnd(buffer: Buffer, from: number, to: number): number;
  decode(buffer: Buffer, from: number, to: number): string;
  /** Bytes of a byte order mark at the start of a file. */
  markLength(buffer: Buffer, from: number, to: number): number;
}

const LF = 0x0a;

function byteLastLineEnd(buffer: Buffer, from: number, to: number): number {
  if (to <= from) return -1;
  const at = buffer.lastIndexOf(LF, to - 1);
  return at < from ? -1 : at + 1;
}

function byteFirstLineEnd(buffer: Buffer, from: number, to: number): number {
  const at = buffer.indexOf(LF, from);
  return at === -1 || at >= to ? -1 : at + 1;
}

/** UTF-8; what is not valid becomes U+FFFD. */
export const utf8: TextEncoding = {
  breakBytes: 1,
  lastLineEnd: byteLastLineEnd,
  firstLineEnd: byteFirstLineEnd,
  decode: (buffer, from, to) => buffer.toString("utf8", from, to),
  markLength: (buffer, from, to) =>
    to - from >= 3 && buffer[from] === 0xef && buffer[from + 1] === 0xbb &&
      buffer[from + 2] === 0xbf
      ? 3
      : 0,
};

/** An encoding in which a line break is the one byte that it is in ASCII. */
function singleBreak(label: string): TextEncoding {
  const decoder = new TextDecoder(label as Bun.Encoding);
  return {
    ...utf8,
    decode: (buffer, from, to) => decoder.decode(buffer.subarray(from, to)),
    markLength: () => 0,
  };
}

function utf16(label: "utf-16le" | "utf-16be"): TextEncoding {
  // The mark is passed over where it is one: at the start of the file, not of every read.
  const decoder = new TextDecoder(label as Bun.Encoding, { ignoreBOM: true });
  const low = label === "utf-16le" ? 0 : 1;
  const isBreak = (buffer: Buffer, at: number) =>
    buffer[at + low] === LF && buffer[at + 1 - low] === 0;
  return {
    breakBytes: 2,
    lastLineEnd(buffer, from, to) {
      for (let at = to - ((to - from) % 2) - 2; at >= from; at -= 2) {
        if (isBreak(buffer, at)) return at + 2;
      }
      return -1;
    },
    firstLineEnd(buffer, from, to) {
      for (let at = from; at + 1 < to; at += 2) if (isBreak(buffer, at)) return at + 2;
      return -1;
    },
    decode: (buffer, from, to) => decoder.decode(buffer.subarray(from, to)),
    markLength: (buffer, from, to) =>
      to - from >= 2 && buffer[from + low] === 0xff && buffer[from + 1 - low] === 0xfe ? 2 : 0,
  };
}

/** The encoding for a label of the Encoding Standard. */
export function textEncoding(label: string | undefined): TextEncoding {
  if (label === undefined || label === "utf-8") return utf8;
  if (label === "utf-16le" || label === "utf-16be") return utf16(label);
  return singleBreak(label);
}

/** `auto`: UTF-16 where the file starts with its byte order mark, UTF-8 otherwise. */
export function detectEncoding(buffer: Buffer, from: number, to: number): TextEncoding {
  for (const label of ["utf-16le", "utf-16be"] as const) {
    const encoding = utf16(label);
    if (encoding.markLength(buffer, from, to) > 0) return encoding;
  }
  return utf8;
}
