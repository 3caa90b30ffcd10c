import type { FullPolicy, QueueDrop, QueueEvents, QueueLimits } from "../buffer/payload-queue.ts";

/** Whom a queue belongs to: it tells its owner what happens, and asks it for its limits. The owner may change. */
export class QueueOwner implements QueueEvents, QueueLimits {
  current: QueueEvents & QueueLimits;

  constructor(first: QueueEvents & QueueLimits) {
    this.current = first;
  }

  readonly onReady = (): void => this.current.onReady();
  readonly onSpace = (): void => this.current.onSpace();
  readonly onDrop = (drop: QueueDrop): void => this.current.onDrop(drop);

  get limitBytes(): number {
    return this.current.limitBytes;
  }

  get policy(): FullPolicy {
    return this.current.policy;
  }
}
