/** A running plugin whose code can be exchanged. */
export interface LiveInstance<P = unknown> {
  /** Makes the successor ready. Throws when it cannot take over; then nothing has changed. */
  check(next: P): void;
  /** Goes on with the successor from the next batch on. */
  swap(next: P): void;
}
