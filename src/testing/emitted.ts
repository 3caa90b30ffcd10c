import type { Batch } from "../sdk/batch.ts";
import type { Ack } from "../sdk/checkpoint.ts";
import type { Body, LogRecord } from "../sdk/record.ts";
import type { Fault } from "./fault.ts";
import { copyRecords } from "./records.ts";

/** A batch that a plugin emitted, as it was at that moment. */
export interface EmittedBatch {
  readonly tag: string;
  readonly stream: string;
  /** Size of what was read for it, in bytes. */
  readonly bytes: number;
  readonly records: readonly LogRecord[];
  readonly bodies: readonly Body[];
  /** True once the plugin was told that the batch is safe. */
  readonly acked: boolean;
  /** Tells the plugin that the batch is safe at every destination. Twice is once. */
  ack(): void;
}

export interface EmitSettings {
  /** What goes wrong when the plugin emits, such as {@link failing} or a {@link Valve}'s fault. */
  readonly onEmit?: Fault | undefined;
  /**
   * When emitted batches are acked: `at once` (the default), as if every destination took them immediately, or
   * `manual`, when the test calls `ack()` or `ackAll()`.
   */
  readonly acks?: "at once" | "manual" | undefined;
}

/** Takes what a plugin emits, in place of a pipeline. */
export class EmittedBatches {
  readonly batches: EmittedBatch[] = [];
  private readonly settings: EmitSettings;
  private readonly moved: (stream: string, position: string) => void;
  private calls = 0;

  /** `moved` is told the position behind each batch that is acked, when the plugin gave one. */
  constructor(
    settings: EmitSettings,
    moved: (stream: string, position: string) => void = () => {},
  ) {
    this.settings = settings;
    this.moved = moved;
  }

  get records(): LogRecord[] {
    return this.batches.flatMap(({ records }) => records);
  }

  ackAll(): void {
    for (const batch of this.batches) batch.ack();
  }

  /** The context's `emit`. A batch whose call fails was not taken. */
  emit(batch: Batch, ack?: Ack): Promise<void> | undefined {
    const wait = this.settings.onEmit?.({ number: ++this.calls });
    const taken = this.take(batch, ack);
    const ackNow = () => {
      if (this.settings.acks !== "manual") taken.ack();
    };
    if (wait === undefined) return void ackNow();
    return wait.then(ackNow, (error) => {
      this.batches.splice(this.batches.indexOf(taken), 1);
      throw error;
    });
  }

  private take(batch: Batch, ack: Ack | undefined): EmittedBatch {
    const records = copyRecords(batch.records);
    const { moved } = this;
    let acked = false;
    const taken: EmittedBatch = {
      tag: batch.tag,
      stream: batch.stream,
      bytes: batch.bytes,
      records,
      bodies: records.map(({ body }) => body),
      get acked() {
        return acked;
      },
      ack() {
        if (acked) return;
        acked = true;
        if (typeof ack === "function") return ack();
        ack?.ack?.();
        if (ack !== undefined) moved(batch.stream, ack.position());
      },
    };
    this.batches.push(taken);
    return taken;
  }
}
