import { LzmaDecoder, type LzmaProperties } from "./lzma-decoder.ts";

/** One piece of LZMA2: bytes as they are, or packed by LZMA. */
interface Chunk {
  readonly isPacked: boolean;
  readonly resetsDictionary: boolean;
  readonly resetsState: boolean;
  readonly properties: LzmaProperties | undefined;
  readonly from: number;
  readonly to: number;
  readonly unpackedBytes: number;
}

/** The chunks of an LZMA2 stream, and where it ends. Nothing is unpacked yet. */
export interface Lzma2Stream {
  readonly chunks: readonly Chunk[];
  readonly unpackedBytes: number;
  readonly end: number;
}

const MAX_PROPERTIES = 9 * 5 * 5;

/** Reads the headers of all chunks. Throws `SyntaxError` for what is not valid. */
export function readLzma2(bytes: Buffer, from: number): Lzma2Stream {
  const chunks: Chunk[] = [];
  let unpackedBytes = 0;
  let at = from;
  while (bytes[at] !== 0) {
    const chunk = readChunk(bytes, at);
    if (chunk.to > bytes.length) throw ended();
    // Nothing that came before is known to whoever begins here.
    if (chunks.length === 0 && !chunk.resetsDictionary) {
      throw invalid("it does not begin a dictionary");
    }
    chunks.push(chunk);
    unpackedBytes += chunk.unpackedBytes;
    at = chunk.to;
  }
  return { chunks, unpackedBytes, end: at + 1 };
}

/** Unpacks a stream to the end of `out`, which is as large as the stream says. */
export function unpackLzma2(bytes: Buffer, { chunks }: Lzma2Stream, out: Uint8Array): void {
  const decoder = new LzmaDecoder(out);
  let hasProperties = false;
  for (const chunk of chunks) {
    const { from, to, unpackedBytes, properties } = chunk;
    if (chunk.resetsDictionary) decoder.resetDictionary();
    if (!chunk.isPacked) {
      decoder.copy(bytes.subarray(from, to));
      continue;
    }
    hasProperties ||= properties !== undefined;
    if (!hasProperties) throw invalid("it does not say how it was packed");
    if (chunk.resetsState) decoder.reset(properties);
    decoder.unpack(bytes, from, to, unpackedBytes);
  }
}

function readChunk(bytes: Buffer, at: number): Chunk {
  if (at + 3 > bytes.length) throw ended();
  const control = bytes[at]!;
  if (control < 0x80) {
    if (control > 2) throw invalid(`a piece is of kind ${control}`);
    const unpackedBytes = bytes.readUInt16BE(at + 1) + 1;
    const from = at + 3;
    return {
      isPacked: false,
      resetsDictionary: control === 1,
      resetsState: false,
      properties: undefined,
      from,
      to: from + unpackedBytes,
      unpackedBytes,
    };
  }
  const reset = control >> 5 & 3;
  const from = at + (reset >= 2 ? 6 : 5);
  if (from > bytes.length) throw ended();
  return {
    isPacked: true,
    resetsDictionary: reset === 3,
    resetsState: reset >= 1,
    properties: reset >= 2 ? propertiesOf(bytes[at + 5]!) : undefined,
    from,
    to: from + bytes.readUInt16BE(at + 3) + 1,
    unpackedBytes: ((control & 0x1f) << 16) + bytes.readUInt16BE(at + 1) + 1,
  };
}

function propertiesOf(byte: number): LzmaProperties {
  if (byte >= MAX_PROPERTIES) throw invalid(`its properties are ${byte}`);
  const contextBits = byte % 9;
  const literalPositionBits = Math.floor(byte / 9) % 5;
  if (contextBits + literalPositionBits > 4) throw invalid(`its properties are ${byte}`);
  return { contextBits, literalPositionBits, positionBits: Math.floor(byte / 45) };
}

function ended(): SyntaxError {
  return new SyntaxError("Cannot unpack LZMA2: it ends too early");
}

function invalid(why: string): SyntaxError {
  return new SyntaxError(`Cannot unpack LZMA2: ${why}`);
}
