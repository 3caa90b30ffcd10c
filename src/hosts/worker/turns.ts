/** Lets callers in one after the other, and more of them while those inside wait for the ones outside. */
export class Turns {
  private readonly queue: (() => void)[] = [];
  private inside = 0;
  private extra = 0;

  /** Resolves when it is the caller's turn. */
  async enter(): Promise<void> {
    if (this.inside <= this.extra) {
      this.inside++;
      return;
    }
    await new Promise<void>((resolve) => this.queue.push(resolve));
  }

  leave(): void {
    this.inside--;
    this.admit();
  }

  /** Who is inside may wait for somebody outside: one more is let in until {@link takeBack}. */
  lend(): void {
    this.extra++;
    this.admit();
  }

  takeBack(): void {
    this.extra--;
  }

  private admit(): void {
    while (this.queue.length > 0 && this.inside <= this.extra) {
      this.inside++;
      this.queue.shift()!();
    }
  }
}
