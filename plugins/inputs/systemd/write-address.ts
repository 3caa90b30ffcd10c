import type { JournalFile } from "./journal/journal-file.ts";

/** The most bytes that {@link addressWriter} writes. */
export const LONGEST_ADDRESS = 400;

const HEX = Buffer.from("0123456789abcdef");
const ZERO = 0x30;
const HALF = 2 ** 32;

/** Writes where an entry is, as JSON without braces, and returns the position after it. */
export type AddressWriter = (file: JournalFile, out: Uint8Array, at: number) => number;

/** Writes `"__CURSOR":"…","__REALTIME_TIMESTAMP":"…","__MONOTONIC_TIMESTAMP":"…"`, as journalctl's JSON has them. */
export function addressWriter(): AddressWriter {
  const start = Buffer.from('"__CURSOR":"s=');
  const seqnum = Buffer.from(";i=");
  const boot = Buffer.from(";b=");
  const monotonic = Buffer.from(";m=");
  const realtime = Buffer.from(";t=");
  const xor = Buffer.from(";x=");
  const realtimeName = Buffer.from('","__REALTIME_TIMESTAMP":"');
  const monotonicName = Buffer.from('","__MONOTONIC_TIMESTAMP":"');
  return (file, out, at) => {
    at = put(start, out, at);
    at = putText(file.seqnumId, out, at);
    at = putHex(file.seqnum, out, put(seqnum, out, at));
    at = putText(file.bootId, out, put(boot, out, at));
    at = putHex(file.monotonicUs, out, put(monotonic, out, at));
    at = putHex(file.realtimeUs, out, put(realtime, out, at));
    at = put(xor, out, at);
    at = putHalves(file.xorHigh, file.xorLow, out, at);
    at = putDecimal(file.realtimeUs, out, put(realtimeName, out, at));
    at = putDecimal(file.monotonicUs, out, put(monotonicName, out, at));
    out[at++] = 0x22;
    return at;
  };
}

function put(bytes: Uint8Array, out: Uint8Array, at: number): number {
  for (let i = 0; i < bytes.length; i++) out[at++] = bytes[i]!;
  return at;
}

function putText(text: string, out: Uint8Array, at: number): number {
  for (let i = 0; i < text.length; i++) out[at++] = text.charCodeAt(i);
  return at;
}

function putHex(value: number, out: Uint8Array, at: number): number {
  return putHalves(Math.floor(value / HALF), value % HALF, out, at);
}

/** A number of 64 bits without zeros in front. */
function putHalves(high: number, low: number, out: Uint8Array, at: number): number {
  let begun = false;
  for (let half = high, left = 2; left > 0; left--, half = low) {
    for (let shift = 28; shift >= 0; shift -= 4) {
      const digit = half >>> shift & 15;
      const isLast = left === 1 && shift === 0;
      if (!begun && digit === 0 && !isLast) continue;
      begun = true;
      out[at++] = HEX[digit]!;
    }
  }
  return at;
}

function putDecimal(value: number, out: Uint8Array, at: number): number {
  let digits = 1;
  for (let limit = 10; value >= limit; limit *= 10) digits++;
  let rest = value;
  for (let i = at + digits - 1; i >= at; i--) {
    const shorter = Math.floor(rest / 10);
    out[i] = ZERO + rest - shorter * 10;
    rest = shorter;
  }
  return at + digits;
}
