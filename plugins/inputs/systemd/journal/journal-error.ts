/** Why a file is not read. */
export type RefusalReason = "not_a_journal" | "damaged" | "unsupported";

/** A file that cannot be read as a journal; the message says why, without naming the file. */
export class JournalError extends Error {
  override readonly name = "JournalError";
  readonly reason: RefusalReason;

  constructor(reason: RefusalReason, message: string) {
    super(message);
    this.reason = reason;
  }
}
