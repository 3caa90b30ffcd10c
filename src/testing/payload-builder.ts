import type { Framing, Payload, PayloadWriter } from "../sdk/payload.ts";

/** Records that an output left out, by the reason it gave. */
export interface Drop {
  readonly records: number;
  readonly reason: string;
}

interface Part {
  readonly chunks: Uint8Array[];
  records: number;
}

/** Collects what an output's `encode` writes, and makes payloads of it: one for each partition. */
export class PayloadBuilder implements PayloadWriter {
  readonly drops: Drop[] = [];
  /** Records that were written or dropped. */
  counted = 0;
  private readonly parts = new Map<string, Part>();
  private key = "";

  /** Starts the next batch, which begins in the default partition. */
  begin(): void {
    this.key = "";
  }

  partition(key: string): void {
    this.key = key;
  }

  text(text: string, records: number): void {
    this.add(new TextEncoder().encode(text), records);
  }

  bytes(bytes: Uint8Array, records: number): void {
    this.add(bytes.slice(), records);
  }

  drop(records: number, reason: string): void {
    this.counted += records;
    this.drops.push({ records, reason });
  }

  /** The payloads, with the framing around and between the writes. */
  finish({ prefix = "", separator = "", suffix = "" }: Framing = {}): Payload[] {
    const encoder = new TextEncoder();
    return [...this.parts].map(([partition, { chunks, records }]) => {
      const between = encoder.encode(separator);
      const pieces = chunks.flatMap((chunk, i) => i === 0 ? [chunk] : [between, chunk]);
      const bytes = Buffer.concat([encoder.encode(prefix), ...pieces, encoder.encode(suffix)]);
      return { bytes, records, partition, attempt: 1 };
    });
  }

  private add(bytes: Uint8Array, records: number): void {
    const part = this.parts.get(this.key) ?? { chunks: [], records: 0 };
    this.parts.set(this.key, part);
    part.chunks.push(bytes);
    part.records += records;
    this.counted += records;
  }
}
