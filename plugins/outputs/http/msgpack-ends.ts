/** Where each of many msgpack values ends, one behind the other. Throws RangeError for a value that is cut off. */
export function msgpackEnds(bytes: Uint8Array): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const ends: number[] = [];
  for (let at = 0; at < bytes.length;) {
    at = endOf(view, at);
    if (at > bytes.length) throw new RangeError("a msgpack value is cut off");
    ends.push(at);
  }
  return ends;
}

/** Counts what is still to come instead of calling itself: nesting has no limit here. */
function endOf(view: DataView, at: number): number {
  for (let due = 1; due > 0; due--) {
    const head = view.getUint8(at++);
    const form = FORMS[head - 0xc0];
    if (form !== undefined) {
      const [lengthBytes, itemsOrBytes, fixed] = form;
      const length = lengthBytes === 0 ? 0 : readLength(view, at, lengthBytes);
      at += lengthBytes + fixed;
      if (itemsOrBytes === "bytes") at += length;
      else due += itemsOrBytes === "pairs" ? 2 * length : length;
    } else if (head >= 0xa0 && head < 0xc0) at += head & 0x1f;
    else if (head >= 0x90 && head < 0xa0) due += head & 0x0f;
    else if (head >= 0x80 && head < 0x90) due += 2 * (head & 0x0f);
  }
  return at;
}

function readLength(view: DataView, at: number, bytes: number): number {
  if (bytes === 1) return view.getUint8(at);
  return bytes === 2 ? view.getUint16(at) : view.getUint32(at);
}

type Form = readonly [lengthBytes: number, what: "bytes" | "items" | "pairs", fixedBytes: number];

const fixed = (bytes: number): Form => [0, "bytes", bytes];

/** The forms from 0xc0 to 0xdf: how long their length is, what it counts, and what else belongs to them. */
const FORMS: readonly Form[] = [
  ...[0, 0, 0, 0].map(fixed), // nil, unused, false, true
  ...[1, 2, 4].map((length): Form => [length, "bytes", 0]), // bin
  ...[1, 2, 4].map((length): Form => [length, "bytes", 1]), // ext, with a byte for its type
  ...[4, 8].map(fixed), // float
  ...[1, 2, 4, 8].map(fixed), // uint
  ...[1, 2, 4, 8].map(fixed), // int
  ...[1, 2, 4, 8, 16].map((bytes) => fixed(bytes + 1)), // fixext, with a byte for its type
  ...[1, 2, 4].map((length): Form => [length, "bytes", 0]), // str
  ...[2, 4].map((length): Form => [length, "items", 0]), // array
  ...[2, 4].map((length): Form => [length, "pairs", 0]), // map
];
