interface HeldBatch {
  readonly position: number;
  readonly release: () => void;
  /** Emissions that carry records of this batch and are not yet safe. */
  underway: number;
}

/**
 * The batches of one stream that were taken but are not yet safe: a line of theirs still waits, or a record
 * made of their lines is on its way.
 */
export class HeldBatches {
  private readonly held: HeldBatch[] = [];
  private nextPosition = 0;
  private pendingPosition = -1;

  /** Holds another batch. Returns the position to give its lines. */
  add(release: () => void): number {
    const position = this.nextPosition++;
    this.held.push({ position, release, underway: 0 });
    return position;
  }

  /** Says from which position lines still wait, -1 for none. */
  waitingFrom(position: number): void {
    this.pendingPosition = position;
    this.releaseDone();
  }

  /** Records of any held batch leave. Call the result when they are safe. */
  leave(): () => void {
    const carried = [...this.held];
    for (const batch of carried) batch.underway++;
    let safe = false;
    return () => {
      if (safe) return;
      safe = true;
      for (const batch of carried) batch.underway--;
      this.releaseDone();
    };
  }

  private releaseDone(): void {
    for (let batch = this.held[0]; batch !== undefined; batch = this.held[0]) {
      const waits = this.pendingPosition !== -1 && batch.position >= this.pendingPosition;
      if (waits || batch.underway > 0) return;
      this.held.shift();
      batch.release();
    }
  }

  get isEmpty(): boolean {
    return this.held.length === 0;
  }
}
