import { closeSync, fstatSync, openSync, readSync } from "node:fs";

/** What matters of a shared library before it is loaded. */
export interface Elf {
  readonly bits: 32 | 64;
  /** The processor, by its number in the format: 62 is x86-64, 183 is 64-bit ARM. */
  readonly machine: number;
  /** 3 is a shared library, 2 a program. */
  readonly type: number;
  /** Names of the libraries that it needs. */
  readonly needed: readonly string[];
}

const PROGRAM = { load: 1, dynamic: 2 } as const;
const DYNAMIC = { needed: 1n, strings: 5n } as const;
const MAX_TABLE = 1024 * 1024;

/** Reads the heads of an ELF file; `undefined` for a file of another kind. Throws what reading throws. */
export function readElf(path: string): Elf | undefined {
  const fd = openSync(path, "r");
  try {
    const read = (at: number, length: number): Buffer => {
      const bytes = Buffer.alloc(Math.min(length, MAX_TABLE, Math.max(0, fstatSync(fd).size - at)));
      return bytes.subarray(0, readSync(fd, bytes, 0, bytes.length, at));
    };
    const head = read(0, 64);
    if (head.length < 64 || head.readUInt32BE(0) !== 0x7f454c46) return undefined;
    const bits = head[4] === 2 ? 64 : 32;
    // Those of another byte order are for other processors, too.
    const little = head[5] === 1;
    const machine = little ? head.readUInt16LE(18) : head.readUInt16BE(18);
    const type = little ? head.readUInt16LE(16) : head.readUInt16BE(16);
    const needed = bits === 64 && little ? neededOf(head, read) : [];
    return { bits, machine, type, needed };
  } finally {
    closeSync(fd);
  }
}

type Read = (at: number, length: number) => Buffer;

interface Segment {
  readonly type: number;
  readonly offset: number;
  readonly address: bigint;
  readonly size: number;
}

function neededOf(head: Buffer, read: Read): string[] {
  const segments = segmentsOf(head, read);
  const dynamic = segments.find(({ type }) => type === PROGRAM.dynamic);
  if (dynamic === undefined) return [];
  const table = read(dynamic.offset, dynamic.size);
  const names: number[] = [];
  let strings = 0n;
  for (let at = 0; at + 16 <= table.length; at += 16) {
    const tag = table.readBigUInt64LE(at);
    const value = table.readBigUInt64LE(at + 8);
    if (tag === DYNAMIC.needed) names.push(Number(value));
    if (tag === DYNAMIC.strings) strings = value;
  }
  const home = segments.find(({ type, address, size }) =>
    type === PROGRAM.load && strings >= address && strings < address + BigInt(size)
  );
  if (home === undefined) return [];
  const start = home.offset + Number(strings - home.address);
  return names.map((name) => {
    const text = read(start + name, 256).toString("latin1");
    return text.slice(0, text.indexOf("\0"));
  });
}

function segmentsOf(head: Buffer, read: Read): Segment[] {
  const size = head.readUInt16LE(54);
  const count = head.readUInt16LE(56);
  const table = read(Number(head.readBigUInt64LE(32)), size * count);
  const segments: Segment[] = [];
  for (let at = 0; size >= 56 && at + size <= table.length; at += size) {
    segments.push({
      type: table.readUInt32LE(at),
      offset: Number(table.readBigUInt64LE(at + 8)),
      address: table.readBigUInt64LE(at + 16),
      size: Number(table.readBigUInt64LE(at + 32)),
    });
  }
  return segments;
}
