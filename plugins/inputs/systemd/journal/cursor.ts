import type { EntryPlace } from "./entry-place.ts";

/** What a cursor says of an entry; a part that is missing is `undefined`. */
export type Cursor =
  & { readonly [K in keyof Omit<EntryPlace, "xorHigh" | "xorLow">]?: EntryPlace[K] }
  & {
    /** 16 hexadecimal digits at most. */
    readonly xorHash?: string;
  };

/** The cursor of an entry, as journalctl writes it. */
export function writeCursor(place: EntryPlace): string {
  const { seqnumId, seqnum, bootId, monotonicUs, realtimeUs, xorHigh, xorLow } = place;
  const xor = xorHigh === 0
    ? xorLow.toString(16)
    : xorHigh.toString(16) + xorLow.toString(16).padStart(8, "0");
  return `s=${seqnumId};i=${seqnum.toString(16)};b=${bootId};m=${monotonicUs.toString(16)};` +
    `t=${realtimeUs.toString(16)};x=${xor}`;
}

/** Reads a cursor; parts that are not known are passed over. `undefined` for text that is none. */
export function readCursor(text: string): Cursor | undefined {
  const parts = new Map<string, string>();
  for (const part of text.trim().split(";")) {
    const at = part.indexOf("=");
    if (at !== 1) return undefined;
    parts.set(part[0]!, part.slice(2).toLowerCase());
  }
  const [seqnumId, bootId] = [idOf(parts.get("s")), idOf(parts.get("b"))];
  const [seqnum, monotonicUs, realtimeUs] = ["i", "m", "t"].map((key) => hexOf(parts.get(key)));
  const xorHash = parts.get("x");
  const cursor = {
    ...(seqnumId !== undefined && { seqnumId }),
    ...(seqnum !== undefined && { seqnum }),
    ...(bootId !== undefined && { bootId }),
    ...(monotonicUs !== undefined && { monotonicUs }),
    ...(realtimeUs !== undefined && { realtimeUs }),
    ...(xorHash !== undefined && { xorHash }),
  };
  return isEnough(cursor) ? cursor : undefined;
}

/** Whether a place can be found by it. */
function isEnough({ seqnumId, seqnum, bootId, monotonicUs, realtimeUs }: Cursor): boolean {
  return (seqnumId !== undefined && seqnum !== undefined) ||
    (bootId !== undefined && monotonicUs !== undefined) || realtimeUs !== undefined;
}

function idOf(text: string | undefined): string | undefined {
  return text !== undefined && /^[0-9a-f]{32}$/.test(text) ? text : undefined;
}

function hexOf(text: string | undefined): number | undefined {
  return text !== undefined && /^[0-9a-f]{1,16}$/.test(text) ? parseInt(text, 16) : undefined;
}
