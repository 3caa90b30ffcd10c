import { crc32c } from "../../src/lib/crc32c.ts";
import { LONGEST_ESCAPE, writeQuotedLines } from "../../src/lib/quoted-bytes.ts";
import { quoteLines } from "../../src/lib/quoted-lines.ts";
import { countLines } from "../../src/sdk/count-lines.ts";
import { quotedLinesWriter } from "../../src/sdk/quoted-lines-writer.ts";
import { RawBlock } from "../../src/sdk/raw-lines.ts";
import type { Task } from "./harness.ts";
import { blockOf, type InputBlock, NOW } from "./input.ts";

const LONGEST = 32 * 1024;
const LF = 10;
const CR = 13;

/** What is done to lines that nobody looks into. */
export function lineTasks(): Task[] {
  const block = blockOf("json");
  return [counting(block), quoting(block), sums(block)];
}

function counting({ lines, bytes }: InputBlock): Task {
  const block = bytes.subarray(0, -1);
  return {
    name: "count lines",
    bytes: block.length,
    records: lines.length,
    contestants: [
      { name: "countLines (kernel)", run: () => countLines(block, LONGEST) ?? 0 },
      { name: "a loop over bytes", run: () => countByBytes(block) },
      { name: "indexOf", run: () => countByIndexOf(block) },
    ],
  };
}

/** No line may be too long, and there may be no carriage return. */
function countByBytes(block: Uint8Array): number {
  let count = 1;
  let start = 0;
  for (let i = 0; i < block.length; i++) {
    const c = block[i];
    if (c === CR) return 0;
    if (c !== LF) continue;
    if (i - start > LONGEST) return 0;
    start = i + 1;
    count++;
  }
  return block.length - start > LONGEST ? 0 : count;
}

function countByIndexOf(block: Uint8Array): number {
  if (block.includes(CR)) return 0;
  let count = 1;
  let start = 0;
  for (let end = block.indexOf(LF); end !== -1; end = block.indexOf(LF, start)) {
    if (end - start > LONGEST) return 0;
    start = end + 1;
    count++;
  }
  return block.length - start > LONGEST ? 0 : count;
}

function quoting({ lines, bytes }: InputBlock): Task {
  const source = bytes.subarray(0, -1);
  const frame = { before: '{"log":', between: '}\n{"log":', after: "}\n" };
  const around = frame.before.length + frame.after.length;
  const count = lines.length;
  const write = quotedLinesWriter();
  const between = Buffer.from(frame.between);
  const out = Buffer.alloc(source.length * LONGEST_ESCAPE + count * (between.length + 2));
  const raw = new RawBlock({ key: "log", ...NOW, bytes: source, count });
  return {
    name: "quote lines",
    bytes: source.length,
    records: count,
    contestants: [
      { name: "quotedLinesWriter (kernel)", run: () => write(raw, frame)!.length },
      {
        name: "a loop over bytes",
        run: () => writeQuotedLines(source, 0, source.length, between, out, 0) + around,
      },
      {
        name: "JSON.stringify once, and replacing",
        run: () => {
          const text = source.toString();
          const quoted = quoteLines({ text, count, lines }, frame.between);
          return Buffer.from(frame.before + quoted + frame.after).length;
        },
      },
      {
        name: "JSON.stringify per line",
        run: () => {
          const texts = source.toString().split("\n").map((log) => JSON.stringify({ log }));
          return Buffer.from(texts.join("\n") + "\n").length;
        },
      },
    ],
  };
}

function sums({ lines, bytes }: InputBlock): Task {
  return {
    name: "CRC-32C",
    bytes: bytes.length,
    records: lines.length,
    contestants: [
      { name: "crc32c", run: () => crc32c(bytes) },
      { name: "a look-up per byte", run: () => crcByBytes(bytes) },
    ],
  };
}

const TABLE = Int32Array.from({ length: 256 }, (_, byte) => {
  let sum = byte;
  for (let bit = 0; bit < 8; bit++) sum = sum & 1 ? sum >>> 1 ^ 0x82f63b78 : sum >>> 1;
  return sum;
});

function crcByBytes(bytes: Uint8Array): number {
  let sum = ~0;
  for (let i = 0; i < bytes.length; i++) sum = sum >>> 8 ^ TABLE[(sum ^ bytes[i]!) & 255]!;
  return ~sum >>> 0;
}
