import type { Batch } from "../../sdk/batch.ts";
import { type EncodedOutput, isEncodedOutput, type Output } from "../../sdk/define.ts";
import type { Payload, PayloadWriter } from "../../sdk/payload.ts";
import type { LiveInstance } from "./live-instance.ts";

/** An output at work, with the number of deliveries under way. */
interface Generation<O> {
  readonly output: O;
  /** Its `open`, called before the first delivery, as for an output that was there from the start. */
  opened: Promise<void> | undefined;
  busy: number;
  retired: boolean;
}

/** An output that can be exchanged between two batches. Deliveries under way are the old one's to the end. */
export class LiveOutput implements LiveInstance<Output | EncodedOutput> {
  /** What the engine is given. */
  readonly output: Output | EncodedOutput;
  private current: Generation<Output | EncodedOutput>;

  private readonly onClose: () => void;

  constructor(first: Output | EncodedOutput, onClose: () => void) {
    this.onClose = onClose;
    this.current = generationOf(first);
    this.output = isEncodedOutput(first) ? this.encoded(first) : this.simple();
  }

  /** What waits was made by the old one: the new one must take it as its own. */
  check(next: Output | EncodedOutput): void {
    const old = this.current.output;
    if (isEncodedOutput(next) !== isEncodedOutput(old)) {
      throw new Error(
        "one of them has encode() and send(), the other write(): send SIGHUP for that",
      );
    }
    if (!isEncodedOutput(next) || !isEncodedOutput(old)) return;
    const framing = (output: EncodedOutput): string => JSON.stringify(output.framing ?? {});
    const isSame = framing(next) === framing(old) && next.format === old.format &&
      (next.seal === undefined) === (old.seal === undefined);
    if (!isSame) {
      throw new Error(
        "its format, framing or seal() differs from the old one's: send SIGHUP for that",
      );
    }
  }

  swap(next: Output | EncodedOutput): void {
    const old = this.current;
    this.current = generationOf(next);
    old.retired = true;
    if (old.busy === 0) void close(old.output);
  }

  private encoded(first: EncodedOutput): EncodedOutput {
    const now = () => this.current.output as EncodedOutput;
    return {
      ...(first.framing && { framing: first.framing }),
      ...(first.format !== undefined && { format: first.format }),
      ...(first.seal && { seal: (bytes: Uint8Array) => now().seal!(bytes) }),
      encode: (batch: Batch, into: PayloadWriter) => now().encode(batch, into),
      send: (payload: Payload, signal: AbortSignal) =>
        this.during(signal, (output) => (output as EncodedOutput).send(payload, signal)),
      ...this.common(),
    };
  }

  private simple(): Output {
    return {
      write: (batch, signal) =>
        this.during(signal, (output) => (output as Output).write(batch, signal)),
      ...this.common(),
    };
  }

  private common() {
    return {
      open: (signal: AbortSignal) => opened(this.current, signal),
      close: async () => {
        this.onClose();
        await this.current.output.close?.();
      },
      prepare: async () => await (this.current.output as { prepare?(): Promise<void> }).prepare?.(),
    };
  }

  private async during(
    signal: AbortSignal,
    work: (output: Output | EncodedOutput) => Promise<void>,
  ): Promise<void> {
    const generation = this.current;
    generation.busy++;
    try {
      await opened(generation, signal);
      await work(generation.output);
    } finally {
      generation.busy--;
      if (generation.retired && generation.busy === 0) void close(generation.output);
    }
  }
}

function generationOf<O>(output: O): Generation<O> {
  return { output, opened: undefined, busy: 0, retired: false };
}

/** Opens it once; after a failure the next delivery tries again. */
async function opened(
  generation: Generation<Output | EncodedOutput>,
  signal: AbortSignal,
): Promise<void> {
  generation.opened ??= Promise.resolve(generation.output.open?.(signal));
  try {
    await generation.opened;
  } catch (error) {
    generation.opened = undefined;
    throw error;
  }
}

async function close(output: Output | EncodedOutput): Promise<void> {
  try {
    await output.close?.();
  } catch {
    // Nothing waits for it any more.
  }
}
