/**
 * What the engine holds for an emitted batch until it is safe everywhere. Everybody who keeps a part of
 * the batch (an open payload, a filter) holds the ticket; when the last hold is released the ticket is
 * settled and the input may be acked.
 */
export class Ticket {
  private holds = 1;
  private readonly onSettled: (() => void) | undefined;

  constructor(onSettled?: () => void) {
    this.onSettled = onSettled;
  }

  get settled(): boolean {
    return this.holds === 0;
  }

  hold(): void {
    this.holds++;
  }

  release(): void {
    if (--this.holds === 0) this.onSettled?.();
  }
}
