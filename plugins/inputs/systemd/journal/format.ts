/**
 * The journal file format, as systemd's "Journal File Format" describes it. All numbers are little-endian, all
 * offsets count from the beginning of the file, and all objects begin at multiples of 8.
 */

/** The first bytes of every file. */
export const SIGNATURE = "LPKSHHRH";

/** The header of the oldest files; later versions added fields behind it. */
export const MIN_HEADER_BYTES = 208;

/** Where the header's fields are. */
export const HEADER = {
  incompatibleFlags: 12,
  state: 16,
  fileId: 24,
  machineId: 40,
  seqnumId: 72,
  headerSize: 88,
  arenaSize: 96,
  entries: 152,
  tailSeqnum: 160,
  headSeqnum: 168,
  entryArray: 176,
  headRealtime: 184,
  tailRealtime: 192,
  bytes: 208,
} as const;

/** A writer has the file open, or went away without a word. */
export const STATE_ONLINE = 1;
/** Nothing is added any more. */
export const STATE_ARCHIVED = 2;

/** What a reader must know to read a file at all. */
export const INCOMPATIBLE = { xz: 1, lz4: 2, keyedHash: 4, zstd: 8, compact: 16 } as const;

export const OBJECT = { data: 1, field: 2, entry: 3, entryArray: 6 } as const;

/** Every object begins with its type, flags and size. */
export const OBJECT_HEADER = { type: 0, flags: 1, size: 8, bytes: 16 } as const;

export const ENTRY = {
  seqnum: 16,
  realtime: 24,
  monotonic: 32,
  bootId: 40,
  xorHash: 56,
  items: 64,
} as const;

export const ENTRY_ARRAY = { next: 16, items: 24 } as const;

/** Compact files put 8 more bytes in front of a payload. */
export const DATA = { entries: 56, payload: 64, compactPayload: 72 } as const;

/** How a payload is packed, in the flags of its object. */
export const COMPRESSION = { xz: 1, lz4: 2, zstd: 4, mask: 7 } as const;

/** Times in microseconds are below this; what is not is no time. */
export const MAX_TIME_US = 2 ** 55;
