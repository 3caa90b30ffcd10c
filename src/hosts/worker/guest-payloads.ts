import type { Framing, PayloadWriter } from "../../sdk/payload.ts";
import type { OwnPayload } from "./delivery-text.ts";

/** Gathers what an output's `encode` writes for one delivery. */
export class GuestPayloads implements PayloadWriter {
  /** Records that were left out, by reason. */
  readonly dropped: Record<string, number> = {};
  /** Records written or left out since {@link begin}. */
  counted = 0;
  private readonly parts = new Map<string, { chunks: Uint8Array[]; records: number }>();
  private key = "";

  /** Starts a batch. */
  begin(): void {
    this.key = "";
    this.counted = 0;
  }

  partition(key: string): void {
    this.key = key;
  }

  text(text: string, records: number): void {
    this.add(Buffer.from(text), records);
  }

  bytes(bytes: Uint8Array, records: number): void {
    this.add(bytes.slice(), records);
  }

  drop(records: number, reason: string): void {
    this.counted += records;
    this.lose(records, reason);
  }

  /** Counts records that were lost without the plugin's saying so. */
  lose(records: number, reason: string): void {
    if (records > 0) this.dropped[reason] = (this.dropped[reason] ?? 0) + records;
  }

  /** The payloads, each with what the framing puts around and between its writes. */
  finish({ prefix = "", separator = "", suffix = "" }: Framing): OwnPayload[] {
    return [...this.parts].map(([partition, { chunks, records }]) => {
      const between = Buffer.from(separator);
      const all: Uint8Array[] = [Buffer.from(prefix)];
      chunks.forEach((chunk, i) => all.push(...(i > 0 ? [between, chunk] : [chunk])));
      all.push(Buffer.from(suffix));
      return { partition, records, bytes: Buffer.concat(all) };
    });
  }

  private add(bytes: Uint8Array, records: number): void {
    let part = this.parts.get(this.key);
    if (part === undefined) this.parts.set(this.key, part = { chunks: [], records: 0 });
    part.chunks.push(bytes);
    part.records += records;
    this.counted += records;
  }
}
