import { crc32c } from "../../lib/crc32c.ts";
import type { Claim } from "../queued-payload.ts";

/**
 * One payload in a segment, little endian:
 *
 * ```
 *  0 u32  marker "LQE1"
 *  4 u32  CRC32C of bytes 8 up to the payload, begun with the queue's salt
 *  8 u32  length of the description
 * 12 u32  length of the payload
 * 16 u64  sequence number: 1 more than the entry's before
 * 24 u64  records in all entries before it, since the queue was made
 * 32 u32  records
 * 36 u32  CRC32C of the payload
 * 40      description, JSON
 *         payload
 * ```
 */
export interface EntryHeader {
  readonly seq: number;
  readonly firstRecord: number;
  readonly records: number;
  readonly descriptionBytes: number;
  readonly payloadBytes: number;
  readonly payloadCrc: number;
}

/** What is known of an entry besides its numbers. */
export interface EntryDescription {
  readonly partition: string;
  /** How far streams are safe once this entry and those before it are. */
  readonly claims: readonly Claim[];
  /** Records by the id of the input that they came from. */
  readonly sources: ReadonlyMap<string, number>;
  /** Entries up to this number were known to be on the disk when this one was written. */
  readonly syncedSeq: number;
}

export const HEADER_BYTES = 40;
export const MARKER = Buffer.from("LQE1");
const MARKER_VALUE = MARKER.readUInt32LE(0);
/** Larger ones are damage: a description has a few hundred bytes per stream. */
const MAX_DESCRIPTION_BYTES = 64 * 1024 * 1024;
const MAX_PAYLOAD_BYTES = 1024 * 1024 * 1024;

/** Header and description: what stands in front of the payload. */
export function encodeEntryHead(
  seq: number,
  firstRecord: number,
  records: number,
  description: EntryDescription,
  payload: Uint8Array,
  salt: number,
): Buffer {
  const text = describe(description);
  const length = Buffer.byteLength(text);
  const head = Buffer.allocUnsafe(HEADER_BYTES + length);
  head.writeUInt32LE(MARKER_VALUE, 0);
  head.writeUInt32LE(length, 8);
  head.writeUInt32LE(payload.length, 12);
  head.writeBigUInt64LE(BigInt(seq), 16);
  head.writeBigUInt64LE(BigInt(firstRecord), 24);
  head.writeUInt32LE(records, 32);
  head.writeUInt32LE(crc32c(payload), 36);
  head.write(text, HEADER_BYTES);
  head.writeUInt32LE(crc32c(head.subarray(8), salt), 4);
  return head;
}

/** The numbers of a header, unchecked but for their plausibility; `undefined` when there is none here. */
export function readEntryHeader(bytes: Buffer, at: number): EntryHeader | undefined {
  if (at + HEADER_BYTES > bytes.length || bytes.readUInt32LE(at) !== MARKER_VALUE) return undefined;
  const header = {
    descriptionBytes: bytes.readUInt32LE(at + 8),
    payloadBytes: bytes.readUInt32LE(at + 12),
    seq: Number(bytes.readBigUInt64LE(at + 16)),
    firstRecord: Number(bytes.readBigUInt64LE(at + 24)),
    records: bytes.readUInt32LE(at + 32),
    payloadCrc: bytes.readUInt32LE(at + 36),
  };
  const plausible = header.descriptionBytes <= MAX_DESCRIPTION_BYTES &&
    header.payloadBytes <= MAX_PAYLOAD_BYTES && Number.isSafeInteger(header.seq) &&
    Number.isSafeInteger(header.firstRecord);
  return plausible ? header : undefined;
}

/** The header at `at` is what was written, its description included. All of both must be in `bytes`. */
export function isIntact(bytes: Buffer, at: number, header: EntryHeader, salt: number): boolean {
  const end = at + HEADER_BYTES + header.descriptionBytes;
  return crc32c(bytes.subarray(at + 8, end), salt) === bytes.readUInt32LE(at + 4);
}

export function entryBytes({ descriptionBytes, payloadBytes }: EntryHeader): number {
  return HEADER_BYTES + descriptionBytes + payloadBytes;
}

// Short names: a queue of small payloads is mostly descriptions.
interface Description {
  readonly p?: string;
  readonly c?:
    readonly (readonly [input: string, stream: string, position: string, order: number])[];
  readonly n: Readonly<Record<string, number>>;
  readonly s: number;
}

function describe({ partition, claims, sources, syncedSeq }: EntryDescription): string {
  const description: Description = {
    ...(partition !== "" && { p: partition }),
    ...(claims.length > 0 && {
      c: claims.map(({ input, stream, position, order }) =>
        [input, stream, position, order] as const
      ),
    }),
    n: Object.fromEntries(sources),
    s: syncedSeq,
  };
  return JSON.stringify(description);
}

/** Reads a description whose checksum was right. Throws a SyntaxError when it is not one of ours all the same. */
export function readDescription(text: string): EntryDescription {
  const { p, c, n, s } = JSON.parse(text) as Description;
  return {
    partition: p ?? "",
    claims: (c ?? []).map(([input, stream, position, order]) => ({
      input,
      stream,
      position,
      order,
    })),
    sources: new Map(Object.entries(n)),
    syncedSeq: s,
  };
}
