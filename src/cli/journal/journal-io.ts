import type { CommandIo } from "../command-io.ts";

/** What this command may touch of the outside world. */
export interface JournalIo extends CommandIo {
  /** Writes bytes to the standard output as they are. */
  stdoutBytes(bytes: Uint8Array): void;
  /** Calls back when the process is asked to stop. */
  onStop(call: () => void): void;
}
