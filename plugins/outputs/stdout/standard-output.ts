import { PermanentError } from "logcollector/plugin";
import type { Writable } from "node:stream";

/** What is used of `process.stdout`. */
export type OutputStream = Pick<Writable, "write" | "on" | "listeners"> & {
  readonly isTTY?: boolean;
};

/** The standard output, one write at a time: waiting for its reader keeps what nobody read yet out of memory. */
export class StandardOutput {
  readonly isTerminal: boolean;
  private readonly stream: OutputStream;
  private closed: Error | undefined;

  constructor(stream: OutputStream) {
    this.stream = stream;
    this.isTerminal = stream.isTTY === true;
    // Without a listener the reader's leaving would end the process. The write that met it reports it.
    if (!stream.listeners("error").includes(ignore)) stream.on("error", ignore);
  }

  async write(text: string | Uint8Array): Promise<void> {
    if (this.closed) throw refusal(this.closed);
    await new Promise<void>((resolve, reject) => {
      this.stream.write(text, (error) => error ? reject(error) : resolve());
    }).catch((error: Error) => {
      if (!isClosed(error)) throw error;
      this.closed = error;
      throw refusal(error);
    });
  }
}

/** One for all instances: the stream outlives them. */
function ignore(): void {}

function isClosed(error: NodeJS.ErrnoException): boolean {
  return error.code === "EPIPE" || error.code === "EBADF" ||
    error.code === "ERR_STREAM_DESTROYED" || error.code === "ERR_STREAM_WRITE_AFTER_END";
}

function refusal(cause: Error): PermanentError {
  return new PermanentError("Cannot print: the standard output is closed", { cause });
}
