import type { Framing, PayloadWriter } from "../sdk/payload.ts";
import { BufferPool, PayloadBuffer } from "./payload-buffer.ts";
import type { Holder, QueuedPayload } from "./queued-payload.ts";

export interface AccumulatorOptions {
  readonly framing: Framing;
  /** A payload is finished before it grows over this, in bytes. */
  readonly maxBytes: number;
  /** Open payloads at once; the oldest is finished when there would be more. */
  readonly maxPartitions: number;
  readonly onFull: (payload: QueuedPayload) => void;
  readonly onDrop: (records: number, reason: string) => void;
}

interface OpenPayload {
  readonly partition: string;
  readonly buffer: PayloadBuffer;
  readonly holders: Holder[];
  records: number;
  bytes: number;
}

/** Lets small batches grow into payloads, one open payload per partition. */
export class Accumulator implements PayloadWriter {
  private readonly options: AccumulatorOptions;
  private readonly pool: BufferPool;
  private readonly open = new Map<string, OpenPayload>();
  private current: OpenPayload | undefined;
  private key = "";
  private holder: Holder | undefined;
  /** Records that the batch under way has written or dropped so far. */
  counted = 0;
  /** Bytes in open payloads. */
  bytesOpen = 0;

  constructor(options: AccumulatorOptions) {
    this.options = options;
    this.pool = new BufferPool(options.maxBytes);
  }

  get isEmpty(): boolean {
    return this.open.size === 0;
  }

  /** Starts a batch: what is written from now on is held for `holder`. */
  begin(holder: Holder): void {
    this.holder = holder;
    this.key = "";
    this.current = this.open.get("");
    this.counted = 0;
  }

  partition(key: string): void {
    if (key === this.key) return;
    this.key = key;
    this.current = this.open.get(key);
  }

  text(text: string, records: number): void {
    const payload = this.target(text.length);
    const before = payload.buffer.length;
    payload.buffer.text(text);
    this.wrote(payload, records, payload.buffer.length - before);
  }

  bytes(bytes: Uint8Array, records: number): void {
    const payload = this.target(bytes.length);
    const before = payload.buffer.length;
    payload.buffer.bytes(bytes);
    this.wrote(payload, records, payload.buffer.length - before);
  }

  drop(records: number, reason: string): void {
    this.counted += records;
    this.options.onDrop(records, reason);
  }

  /** Finishes every open payload. */
  flush(): void {
    for (const payload of [...this.open.values()]) this.finish(payload);
  }

  private target(expected: number): OpenPayload {
    let payload = this.current;
    if (
      payload !== undefined && payload.records > 0 &&
      payload.buffer.length + expected > this.options.maxBytes
    ) {
      this.finish(payload);
      payload = undefined;
    }
    if (payload === undefined) {
      if (this.open.size >= this.options.maxPartitions) {
        this.finish(this.open.values().next().value!);
      }
      payload = {
        partition: this.key,
        buffer: new PayloadBuffer(this.pool, this.options.framing),
        holders: [],
        records: 0,
        bytes: 0,
      };
      this.open.set(this.key, payload);
      this.current = payload;
    }
    return payload;
  }

  private wrote(payload: OpenPayload, records: number, bytes: number): void {
    payload.records += records;
    this.counted += records;
    this.bytesOpen += bytes;
    payload.bytes += bytes;
    const holder = this.holder!;
    if (payload.holders.at(-1) !== holder) {
      holder.hold();
      payload.holders.push(holder);
    }
    if (payload.buffer.length >= this.options.maxBytes) this.finish(payload);
  }

  private finish(open: OpenPayload): void {
    this.open.delete(open.partition);
    if (this.current === open) this.current = undefined;
    this.bytesOpen -= open.bytes;
    const bytes = open.buffer.finish();
    this.options.onFull({
      partition: open.partition,
      bytes,
      records: open.records,
      queuedBytes: bytes.length,
      queuedRecords: open.records,
      attempt: 1,
      holders: open.holders,
      recycle: () => open.buffer.recycle(),
    });
  }
}
