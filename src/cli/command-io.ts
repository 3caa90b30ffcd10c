/** What a command may touch of the outside world. */
export interface CommandIo {
  stdout(text: string): void;
  stderr(text: string): void;
}

/** Exit statuses, as the reference documents them. */
export const EXIT = { ok: 0, failed: 1, usage: 2 } as const;
