import { crc32c } from "../../lib/crc32c.ts";

/** A payload that its output gave up, to be kept until somebody sends it again or drops it. */
export interface DeadLetter {
  /** The output's id. */
  readonly output: string;
  readonly plugin: string;
  /** The form of the payload, as the output names it; "" when it has only one. */
  readonly format: string;
  readonly partition: string;
  readonly bytes: Uint8Array;
  readonly records: number;
  /** One word in lower_snake_case. */
  readonly reason: string;
  readonly message: string;
  readonly attempts: number;
}

/** What a letter's file says of its payload. */
export interface LetterHeader extends Omit<DeadLetter, "bytes"> {
  /** When it was given up: ISO 8601 in UTC, with milliseconds. */
  readonly time: string;
  /** Length of the payload. */
  readonly bytes: number;
  /** CRC32C of the payload. */
  readonly crc32c: number;
}

/** A file that should be a dead letter and cannot be read as one. The message says what is wrong with it. */
export class DamagedLetter extends Error {
  override readonly name = "DamagedLetter";
}

const VERSION = 1;
const CHECKSUM_CHARS = 8;
const MAGIC = "logcollector dead letter ";
/** A message may quote a whole response: what is longer is cut, in characters. */
const MAX_MESSAGE = 2000;
/** Larger ones are damage: a header has a few hundred bytes, and a partition. */
const MAX_HEAD_BYTES = 16 * 1024 * 1024;

/**
 * What stands in front of the payload, two lines that a person can read:
 *
 * ```
 * logcollector dead letter 1
 * 8f3a1b2c {"time":…}
 * ```
 *
 * The first number is the format's version, the second the CRC32C of the JSON behind it.
 */
export function encodeLetterHead(letter: DeadLetter, time: string): Buffer {
  const { output, plugin, format, partition, records, reason, attempts, bytes } = letter;
  const header: LetterHeader = {
    time,
    output,
    plugin,
    format,
    partition,
    records,
    reason,
    message: shortened(withoutCredentials(letter.message)),
    attempts,
    bytes: bytes.length,
    crc32c: crc32c(bytes),
  };
  const json = JSON.stringify(header);
  return Buffer.from(`${MAGIC}${VERSION}\n${checksumOf(Buffer.from(json))} ${json}\n`);
}

/**
 * Reads what {@link encodeLetterHead} wrote from the beginning of a file; `undefined` when more of the file is
 * needed. Throws {@link DamagedLetter}.
 */
export function decodeLetterHead(
  bytes: Buffer,
): { readonly header: LetterHeader; readonly payloadAt: number } | undefined {
  const firstLine = bytes.indexOf(10);
  const beginning = bytes.toString("latin1", 0, firstLine === -1 ? MAGIC.length + 12 : firstLine);
  if (firstLine === -1 && `${MAGIC}${VERSION}`.startsWith(beginning)) return undefined;
  const version = beginning.startsWith(MAGIC) ? beginning.slice(MAGIC.length) : "";
  if (!/^[1-9]\d{0,8}$/.test(version)) {
    throw new DamagedLetter("it does not begin as a dead letter");
  }
  if (Number(version) > VERSION) {
    throw new DamagedLetter(
      `it was written by a newer version of this program (format ${version}, known is ${VERSION})`,
    );
  }
  const secondLine = bytes.indexOf(10, firstLine + 1);
  if (secondLine === -1) {
    if (bytes.length > MAX_HEAD_BYTES) throw new DamagedLetter("its header has no end");
    return undefined;
  }
  const line = bytes.subarray(firstLine + 1, secondLine);
  const json = line.subarray(CHECKSUM_CHARS + 1);
  if (line.toString("latin1", 0, CHECKSUM_CHARS + 1) !== `${checksumOf(json)} `) {
    throw new DamagedLetter("its header is not what was written");
  }
  const header = readHeader(json.toString());
  if (header === undefined) throw new DamagedLetter("its header lacks something");
  return { header, payloadAt: secondLine + 1 };
}

function readHeader(json: string): LetterHeader | undefined {
  let header: Partial<Record<keyof LetterHeader, unknown>> | null;
  try {
    header = JSON.parse(json);
  } catch {
    return undefined;
  }
  if (typeof header !== "object" || header === null) return undefined;
  const { time, output, plugin, format, partition, records, reason, message, attempts } = header;
  const texts = [time, output, plugin, format, partition, reason, message];
  const numbers = [records, attempts, header.bytes, header.crc32c];
  const isWhole = texts.every((each) => typeof each === "string") &&
    numbers.every((each) => Number.isSafeInteger(each) && (each as number) >= 0);
  return isWhole ? header as LetterHeader : undefined;
}

function checksumOf(bytes: Uint8Array): string {
  return crc32c(bytes).toString(16).padStart(CHECKSUM_CHARS, "0");
}

function shortened(message: string): string {
  return message.length <= MAX_MESSAGE ? message : `${message.slice(0, MAX_MESSAGE)}…`;
}

/** Whatever a plugin puts into its message: a password in a URL is not kept. */
function withoutCredentials(message: string): string {
  return message.replace(/\b([a-z][a-z\d+.-]*:\/\/)[^\s/?#@]*@/gi, "$1***@");
}
