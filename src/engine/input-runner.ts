import { messageWithPlace } from "../lib/error-place.ts";
import { Gate } from "../lib/gate.ts";
import type { Batch } from "../sdk/batch.ts";
import type { Ack, CheckpointOptions, CheckpointStore } from "../sdk/checkpoint.ts";
import type { Clock, Logger } from "../sdk/context.ts";
import type { Input } from "../sdk/define.ts";
import { prepare } from "../sdk/preparable.ts";
import { backoffMs } from "../lib/backoff.ts";
import type { EmissionOrder } from "./emission-order.ts";
import type { Entrance } from "./entrance.ts";
import { InputCheckpoints } from "./input-checkpoints.ts";
import type { InputMetrics } from "./metrics.ts";
import type { Book } from "./books.ts";
import type { CheckpointKeeper } from "./checkpoint-keeper.ts";
import type { CheckpointFile, SavedPosition } from "./checkpoint-file.ts";
import { StreamAcks, type StreamAcksOptions } from "./stream-acks.ts";

export interface InputRunnerOptions {
  readonly id: string;
  readonly log: Logger;
  readonly clock: Clock;
  readonly metrics: InputMetrics;
  readonly entrance: Entrance;
  readonly order: EmissionOrder;
  readonly keeper: CheckpointKeeper;
  readonly book: Book;
  /** Opens the file of the input's positions; `undefined` when there is to be none. Throws a message for the user. */
  readonly openCheckpoints: (options: CheckpointOptions) => CheckpointFile | undefined;
  /** Bytes that may be emitted and not yet safe; 0 for no limit of the input's own. */
  readonly memBufLimit: number;
  /** Called when that limit is reached: what waits to grow into a larger payload must go out now. */
  readonly onFull: () => void;
  /** Told at quiet moments, when nothing of a batch is in use, how many bytes became garbage since the last. */
  readonly onQuiet: (bytes: number) => void;
}

/** What the way of a batch leaves behind, however small it is, in bytes. */
const GARBAGE_OF_BATCH = 4096;
/** An input that breathes lets others have a turn after so much time. */
const BREATH_MS = 1;
const RESTART = { baseMs: 1000, capMs: 60_000 };

/** One input at work: tickets for its batches, backpressure for its `emit`, a new start when it throws. */
export class InputRunner {
  readonly id: string;
  private readonly options: InputRunnerOptions;
  private acks: StreamAcks;
  private readonly room = new Gate();
  /** Nobody listens to the input any more. */
  private isShutOut = false;
  /** Those who wait for room. */
  private readonly waiting = new Set<() => void>();
  private positions: InputCheckpoints | undefined;
  private input!: Input;
  private waits = true;
  private garbageSinceBreath = 0;
  private breathMs = 0;
  /** Set by the plugin: the pipeline stops when all inputs that asked for it have returned. */
  stopsWhenDone = false;

  constructor(options: InputRunnerOptions) {
    this.options = options;
    this.id = options.id;
    this.acks = new StreamAcks(this.acksOptions());
  }

  private acksOptions(): StreamAcksOptions {
    const { book, order, log, metrics } = this.options;
    return {
      book,
      order,
      onProgress: () => {
        metrics.pendingBytes.value = this.acks.pendingBytes;
        this.room.open();
      },
      onMoved: (stream, position, order) => this.moved(stream, position, order),
      onForgotten: (stream) => this.positions?.remove(stream),
      onAckError: (error) =>
        log.error(`Cannot move a checkpoint: ${(error as Error)?.message ?? error}`),
    };
  }

  /** See the SDK's `InputContext`. */
  checkpoints(wanted: CheckpointOptions = {}): CheckpointStore {
    const { order, keeper } = this.options;
    this.positions = new InputCheckpoints(wanted, order, {
      save: (stream, position) => {
        this.acks.put(stream, position);
        keeper.touchNow();
      },
      remove: (stream) => this.acks.forget(stream),
      onRemoved: () => keeper.touchNow(),
    });
    return this.positions;
  }

  /** Takes up the positions from before; those that disk queues hold are given here. Throws a message for the user. */
  open(claims: ReadonlyMap<string, SavedPosition> | undefined): void {
    const { positions } = this;
    if (positions === undefined) return;
    positions.open(this.options.openCheckpoints(positions.options), claims ?? new Map());
    this.options.keeper.addInput(positions);
  }

  /** Makes sure that positions can be kept where the other does not keep its own. Throws a message for the user. */
  tryPositions(old: InputRunner): void {
    const { positions, options } = this;
    if (positions === undefined) return;
    const { path } = positions.options;
    if (path !== old.positions?.options.path) options.openCheckpoints(positions.options)?.close();
  }

  /**
   * Takes the place of an input that was closed, in place of {@link open}. What that one emitted and is not safe is
   * this one's now, and this one goes on behind it. A file of positions that cannot be opened costs only the
   * positions: it is too late to turn back.
   */
  takeOver(old: InputRunner): void {
    this.acks = old.acks;
    const { emitted } = this.acks;
    const safe = old.positions?.latest();
    old.closeCheckpoints();
    this.acks.handOver(this.acksOptions());
    const { positions, options } = this;
    old.options.metrics.pendingBytes.value = 0;
    options.metrics.pendingBytes.value = this.acks.pendingBytes;
    if (positions === undefined) return;
    old.positions?.handOver();
    let file: CheckpointFile | undefined;
    const { path } = positions.options;
    // What another program left in the file they share, the old one has taken over and read on from.
    const own = path !== undefined && path === old.positions?.options.path
      ? { ...positions.options, migrate: () => new Map<string, string>() }
      : positions.options;
    try {
      file = options.openCheckpoints(own);
    } catch (error) {
      options.log.error(
        `${
          (error as Error)?.message ?? error
        }; positions last as long as the process until a restart`,
      );
    }
    positions.open(file, safe ?? new Map(), emitted);
    options.keeper.addInput(positions);
  }

  /** It has been stopped, and may not have noticed: what it emits from now on is refused. */
  shutOut(): void {
    this.isShutOut = true;
  }

  /** Resolves when everything that was emitted is safe. */
  async settled(): Promise<void> {
    while (this.acks.pending > 0) await this.room.wait();
  }

  /** What this input did not get acked is read again at the next start. */
  get isReplayable(): boolean {
    return this.positions?.isDurable ?? false;
  }

  /** How far streams are safe, where that outlasts the process. */
  get durablePositions(): ReadonlyMap<string, SavedPosition> | undefined {
    return this.isReplayable ? this.positions?.latest() : undefined;
  }

  /** Positions of streams that another pipeline reads for this input. */
  movePositions(
    changed: ReadonlyMap<string, SavedPosition>,
    removed: ReadonlySet<string>,
  ): void {
    const { positions, options: { keeper } } = this;
    if (positions === undefined) return;
    for (const [stream, { position, order }] of changed) {
      positions.moved(stream, () => position, order);
    }
    for (const stream of removed) positions.remove(stream);
    keeper.touchNow();
  }

  /** Gives the file of positions back, after the last of them was written. */
  closeCheckpoints(): void {
    if (this.positions === undefined) return;
    this.options.keeper.removeInput(this.positions);
    this.positions.close();
  }

  private moved(stream: string, position: () => string, order: number): void {
    if (this.positions === undefined) return;
    this.positions.moved(stream, position, order);
    if (this.positions.isDurable) this.options.keeper.touch();
  }

  /** The input's context needs this runner, so the input itself comes second. */
  use(input: Input): void {
    this.input = input;
  }

  /** Waits until the input is set up. Rejects as `create` throws. */
  async prepare(): Promise<void> {
    await prepare(this.input);
  }

  /** Batches that are emitted and not safe everywhere. */
  get pending(): number {
    return this.acks.pending;
  }

  emit(batch: Batch, ack?: Ack): Promise<void> | undefined {
    const { metrics, entrance, book } = this.options;
    if (this.isShutOut) throw new Error(`Cannot emit: input ${this.id} was stopped by a reload`);
    const records = batch.length;
    book.in += records;
    metrics.records.value += records;
    metrics.bytes.value += batch.bytes;
    const ticket = this.acks.open(batch.stream, batch.bytes, ack);
    let wait: void | Promise<void>;
    try {
      wait = entrance.process(batch, ticket);
    } finally {
      ticket.release();
      this.garbageSinceBreath += GARBAGE_OF_BATCH + batch.bytes * batch.expire();
    }
    metrics.pendingBytes.value = this.acks.pendingBytes;
    if (wait !== undefined) return this.paused(wait);
    return this.isFull ? this.paused(undefined) : undefined;
  }

  /** See the SDK's `InputContext`. */
  breathe(): Promise<void> | undefined {
    return this.options.clock.nowMs() - this.breathMs < BREATH_MS ? undefined : this.breath();
  }

  private async breath(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    this.options.onQuiet(this.garbageSinceBreath);
    this.garbageSinceBreath = 0;
    this.breathMs = this.options.clock.nowMs();
  }

  /** Runs the input until it returns; after a throw it is started again, with growing pauses. */
  async run(signal: AbortSignal): Promise<void> {
    const { log, clock } = this.options;
    for (let failures = 1; !signal.aborted; failures++) {
      const startedMs = clock.nowMs();
      try {
        return await this.input.run(signal);
      } catch (error) {
        if (signal.aborted) return;
        // After a long time of work it is another failure, not the same one again.
        if (clock.nowMs() - startedMs > RESTART.capMs) failures = 1;
        const ms = backoffMs(failures, RESTART);
        log.error(
          `Input failed: ${messageWithPlace(error)}; starting it again in ${
            (ms / 1000).toFixed(1)
          } s`,
        );
        await clock.sleep(ms, signal);
      }
    }
  }

  /** Lets a paused `emit` return, now and later: at shutdown nobody may hang there. */
  stopWaiting(): void {
    this.waits = false;
    this.room.open();
  }

  /** Waits for nobody any more: what was emitted is on its way, and what is awaited is room for more. */
  letGo(): void {
    this.stopWaiting();
    for (const resolve of this.waiting) resolve();
  }

  async close(): Promise<void> {
    try {
      await this.input.close?.();
    } catch (error) {
      this.options.log.warn(`Cannot close: ${error instanceof Error ? error.message : error}`);
    }
  }

  private get isFull(): boolean {
    const limit = this.options.memBufLimit;
    return limit > 0 && this.acks.pendingBytes >= limit;
  }

  private async paused(wait: Promise<void> | undefined): Promise<void> {
    const { metrics } = this.options;
    metrics.paused.value = 1;
    if (wait !== undefined) await this.untilLetGo(wait);
    while (this.waits && this.isFull) {
      this.options.onFull();
      if (this.isFull) await this.room.wait();
    }
    metrics.paused.value = 0;
  }

  private untilLetGo(wait: Promise<void>): Promise<void> {
    return new Promise((resolve, reject) => {
      this.waiting.add(resolve);
      wait.then(resolve, reject).finally(() => this.waiting.delete(resolve));
    });
  }
}
