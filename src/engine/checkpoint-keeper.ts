import type { DiskQueue } from "../buffer/disk/disk-queue.ts";
import type { Clock, Counter, Logger } from "../sdk/context.ts";
import type { InputCheckpoints } from "./input-checkpoints.ts";

export interface CheckpointKeeperOptions {
  readonly clock: Clock;
  readonly log: Logger;
  readonly errors: Counter;
  /** Resolves when what was committed is written down, where others do that. */
  readonly confirm?: (() => Promise<void>) | undefined;
}

/** Positions are written down this soon after they moved: what a kill may cost is read again. */
const SOON_MS = 100;
/** And so often it is made sure that they are on the disk: what a loss of power may cost is read again. */
const DURABLE_MS = 1000;
/** Trouble that lasts is said once in so many milliseconds. */
const SAY_AGAIN_MS = 60_000;

/**
 * Writes positions down when they have moved, and then lets disk queues give up what is delivered: their segments
 * say how far streams got for as long as nobody else does.
 */
export class CheckpointKeeper {
  private readonly options: CheckpointKeeperOptions;
  private readonly inputs = new Set<InputCheckpoints>();
  private readonly queues = new Set<DiskQueue>();
  /** Inputs whose positions cannot be saved, and when that was said last. */
  private readonly failing = new Map<InputCheckpoints, number>();
  private cancelTimer: (() => void) | undefined;
  private durableMs: number;
  private removing: Promise<unknown> = Promise.resolve();
  private isDue = false;
  private closed = false;

  constructor(options: CheckpointKeeperOptions) {
    this.options = options;
    this.durableMs = options.clock.nowMs();
  }

  addInput(input: InputCheckpoints): void {
    this.inputs.add(input);
  }

  addQueue(queue: DiskQueue): void {
    this.queues.add(queue);
  }

  /** Writes an input's positions down for the last time. */
  removeInput(input: InputCheckpoints): void {
    this.commitOne(input, true);
    this.inputs.delete(input);
  }

  removeQueue(queue: object): void {
    this.queues.delete(queue as DiskQueue);
  }

  /** Something moved. */
  touch(): void {
    this.schedule(SOON_MS);
  }

  /**
   * Where something begins is known: that is written down as soon as what is under way has come to its end, because
   * what is not known to be there is not looked for after a crash.
   */
  touchNow(): void {
    if (this.isDue) return;
    this.isDue = true;
    setImmediate(() => {
      this.isDue = false;
      if (!this.closed) this.commit(false);
    });
  }

  /** A queue is at its limit: what it could give up it should give up now. */
  hurry(): void {
    if ([...this.queues].some((queue) => queue.retired().length > 0)) this.commit(false);
  }

  /** Writes down what moved. What cannot be written is tried again. */
  commit(durable: boolean): void {
    const retired = [...this.queues].map((queue) => ({ queue, segments: queue.retired() }));
    for (const input of this.inputs) this.commitOne(input, durable);
    if (durable) this.durableMs = this.options.clock.nowMs();
    // Also when that failed: a full disk would never get room again. What is read again then is safe already.
    const remove = () => Promise.all(retired.map(({ queue, segments }) => queue.remove(segments)));
    const { confirm } = this.options;
    const isAny = retired.some(({ segments }) => segments.length > 0);
    const removed = confirm === undefined || !isAny ? remove() : confirm().then(remove);
    this.removing = Promise.all([this.removing, removed]);
    if ([...this.inputs].some((input) => input.isDirty(true))) this.schedule(DURABLE_MS);
  }

  /** Writes everything down for the last time. */
  async close(): Promise<void> {
    this.closed = true;
    this.cancelTimer?.();
    this.commit(true);
    await this.removing;
  }

  private commitOne(input: InputCheckpoints, durable: boolean): void {
    const { clock, log, errors } = this.options;
    try {
      input.commit(durable);
      if (this.failing.delete(input)) log.info("Positions are saved again");
    } catch (error) {
      errors.value++;
      const saidMs = this.failing.get(input);
      if (saidMs !== undefined && clock.nowMs() - saidMs < SAY_AGAIN_MS) return;
      this.failing.set(input, clock.nowMs());
      log.error(
        `${
          (error as Error)?.message ?? error
        }; what was read since may be read again after a restart`,
      );
    }
  }

  private schedule(ms: number): void {
    if (this.closed) return;
    this.cancelTimer ??= this.options.clock.after(ms, () => {
      this.cancelTimer = undefined;
      this.commit(this.options.clock.nowMs() - this.durableMs >= DURABLE_MS);
    });
  }
}
