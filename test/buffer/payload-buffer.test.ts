import { expect, test } from "bun:test";
import fc from "fast-check";
import { BufferPool, PayloadBuffer } from "../../src/buffer/payload-buffer.ts";

const write = fc.oneof(
  fc.string({ unit: "binary", maxLength: 60 }).map((text) => ({ text })),
  fc.string({ unit: "grapheme", maxLength: 20 }).map((text) => ({ text: text.repeat(40) })),
  fc.uint8Array({ maxLength: 100 }).map((bytes) => ({ bytes })),
);
const framing = fc.constantFrom(
  {},
  { prefix: "[", separator: ",", suffix: "]" },
  { separator: "\n" },
  { prefix: "é" },
);

test("PayloadBuffer holds what was written, joined and framed, whatever the sizes", () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ framing, writes: fc.array(write, { maxLength: 30 }) }), {
        maxLength: 6,
      }),
      fc.integer({ min: 1, max: 5000 }),
      (payloads, size) => {
        const pool = new BufferPool(size);
        for (const { framing, writes } of payloads) {
          const buffer = new PayloadBuffer(pool, framing);
          const pieces: Uint8Array[] = [Buffer.from(framing.prefix ?? "")];
          let length = 0;
          for (const piece of writes) {
            if (length > 0) pieces.push(Buffer.from(framing.separator ?? ""));
            const bytes = "text" in piece ? Buffer.from(piece.text) : piece.bytes;
            pieces.push(bytes);
            length += bytes.length;
            if ("text" in piece) buffer.text(piece.text);
            else buffer.bytes(piece.bytes);
          }
          pieces.push(Buffer.from(framing.suffix ?? ""));
          expect(Buffer.from(buffer.finish()).equals(Buffer.concat(pieces))).toBe(true);
          buffer.recycle();
        }
      },
    ),
    { numRuns: 300 },
  );
});

test("PayloadBuffer takes its memory from the pool again, and the pool keeps no more than it may", () => {
  const pool = new BufferPool(100_000, 2);
  const buffers = [0, 1, 2].map(() => new PayloadBuffer(pool, {}));
  for (const buffer of buffers) buffer.text("x".repeat(90_000));
  for (const buffer of buffers) buffer.recycle();
  expect([pool.take()?.length, pool.take()?.length, pool.take()]).toEqual([
    100_000,
    100_000,
    undefined,
  ]);
});

test("PayloadBuffer takes memory of more than the full size from the pool again, for as large a write", () => {
  const pool = new BufferPool(100_000, 2);
  const write = (bytes: number) => {
    const buffer = new PayloadBuffer(pool, {});
    buffer.bytes(new Uint8Array(bytes));
    const { buffer: memory } = buffer.finish();
    buffer.recycle();
    return memory;
  };
  const large = write(150_000);
  expect(write(160_000)).toBe(large);
  expect(write(1000)).not.toBe(large);
  expect(write(390_000)).not.toBe(large);
  expect(write(150_000)).toBe(large);
});
