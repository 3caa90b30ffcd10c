import type { Framing, PayloadWriter } from "../sdk/payload.ts";
import { BufferPool, PayloadBuffer } from "./payload-buffer.ts";
import type { Holder, QueuedPayload } from "./queued-payload.ts";

export interface AccumulatorOptions {
  readonly framing: Framing;
  /** A payload is finished when the next batch would make it grow over this, in bytes. */
  readonly maxBytes: number;
  /** Open payloads at once; the oldest is finished when there would be more. */
  readonly maxPartitions: number;
  readonly onFull: (payload: QueuedPayload) => void;
  readonly onDrop: (records: number, reason: string, source: string) => void;
}

interface OpenPayload {
  readonly partition: string;
  readonly buffer: PayloadBuffer;
  readonly holders: Holder[];
  /** Records by source, without those of {@link source}. */
  readonly sources: Map<string, number>;
  /** The source that wrote last, and its records since it began: nearly always there is only one. */
  source: string;
  ofSource: number;
  records: number;
  bytes: number;
  /** Its length when the batch under way first wrote to it. */
  before: number;
}

/** A batch is spread over payloads only when it alone would make one larger than so many times the usual size. */
const LARGEST = 4;

/**
 * Lets small batches grow into payloads, one open payload per partition. A payload ends where a batch ends: a crash
 * then finds each batch in the queue whole, or not at all.
 */
export class Accumulator implements PayloadWriter {
  private readonly options: AccumulatorOptions;
  private readonly pool: BufferPool;
  private readonly open = new Map<string, OpenPayload>();
  /** Those that the batch under way has written to. */
  private readonly touched = new Set<OpenPayload>();
  private current: OpenPayload | undefined;
  private key = "";
  private holder: Holder | undefined;
  /** Records that the batch under way has written or dropped so far. */
  counted = 0;
  /** Bytes and records in open payloads. */
  bytesOpen = 0;
  recordsOpen = 0;

  constructor(options: AccumulatorOptions) {
    this.options = options;
    this.pool = new BufferPool(options.maxBytes);
  }

  get isEmpty(): boolean {
    return this.open.size === 0;
  }

  /** Starts a batch: what is written until {@link end} is held for `holder`. */
  begin(holder: Holder): void {
    this.holder = holder;
    this.key = "";
    this.current = this.open.get("");
    this.counted = 0;
    this.touched.clear();
  }

  /** Ends a batch. Payloads that have no room for another one like it are finished. */
  end(): void {
    for (const payload of this.touched) {
      const length = payload.buffer.length;
      const ofBatch = length - payload.before;
      if (length + ofBatch > this.options.maxBytes) this.finish(payload);
    }
    this.touched.clear();
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
    this.options.onDrop(records, reason, this.holder!.source);
  }

  /** Finishes every open payload. */
  flush(): void {
    for (const payload of [...this.open.values()]) this.finish(payload);
  }

  private target(expected: number): OpenPayload {
    let payload = this.current;
    if (payload !== undefined && payload.records > 0) {
      const { maxBytes } = this.options;
      // The batch under way is to stay in one piece, if that can be.
      const limit = this.touched.has(payload) ? maxBytes * LARGEST : maxBytes;
      if (payload.buffer.length + expected > limit) {
        this.finish(payload);
        payload = undefined;
      }
    }
    if (payload === undefined) {
      if (this.open.size >= this.options.maxPartitions) {
        this.finish(this.open.values().next().value!);
      }
      payload = {
        partition: this.key,
        buffer: new PayloadBuffer(this.pool, this.options.framing),
        holders: [],
        sources: new Map(),
        source: this.holder!.source,
        ofSource: 0,
        records: 0,
        bytes: 0,
        before: 0,
      };
      this.open.set(this.key, payload);
      this.current = payload;
    }
    if (!this.touched.has(payload)) {
      this.touched.add(payload);
      payload.before = payload.buffer.length;
    }
    return payload;
  }

  private wrote(payload: OpenPayload, records: number, bytes: number): void {
    payload.records += records;
    this.counted += records;
    this.bytesOpen += bytes;
    this.recordsOpen += records;
    payload.bytes += bytes;
    const holder = this.holder!;
    if (payload.source !== holder.source) {
      addTo(payload.sources, payload.source, payload.ofSource);
      payload.source = holder.source;
      payload.ofSource = 0;
    }
    payload.ofSource += records;
    if (payload.holders.at(-1) !== holder) {
      holder.hold();
      payload.holders.push(holder);
    }
    if (payload.buffer.length >= this.options.maxBytes * LARGEST) this.finish(payload);
  }

  private finish(open: OpenPayload): void {
    this.open.delete(open.partition);
    this.touched.delete(open);
    if (this.current === open) this.current = undefined;
    this.bytesOpen -= open.bytes;
    this.recordsOpen -= open.records;
    const bytes = open.buffer.finish();
    addTo(open.sources, open.source, open.ofSource);
    this.options.onFull({
      partition: open.partition,
      bytes,
      records: open.records,
      queuedBytes: bytes.length,
      queuedRecords: open.records,
      attempt: 1,
      holders: open.holders,
      sources: open.sources,
      isRecovered: false,
      recycle: () => open.buffer.recycle(),
    });
  }
}

function addTo(sources: Map<string, number>, source: string, records: number): void {
  if (records > 0) sources.set(source, (sources.get(source) ?? 0) + records);
}
