import type { IncomingMessage } from "node:http";
import type { Clock } from "../context.ts";

/**
 * The parts of an answer, one at a time: while nobody asks for the next, the server waits. Throws when the answer is cut
 * short, when it stands still for too long, and when the signal aborts.
 */
export async function* answerParts(
  message: IncomingMessage,
  { idleMs, signal }: { readonly idleMs: number; readonly signal: AbortSignal },
  clock: Clock,
): AsyncGenerator<Buffer, void, void> {
  const parts: Buffer[] = [];
  let isWhole = false;
  let failure: Error | undefined;
  let wake = () => {};
  const fail = (error: Error) => {
    failure ??= error;
    wake();
  };
  const onAbort = () => fail(new Error("aborted"));
  signal.addEventListener("abort", onAbort, { once: true });
  if (signal.aborted) onAbort();
  message.on("data", (part: Buffer) => {
    parts.push(part);
    message.pause();
    wake();
  });
  message.on("end", () => {
    isWhole = true;
    wake();
  });
  message.on("error", fail);
  message.on("close", () => fail(new Error("the answer is cut short")));
  try {
    for (;;) {
      const part = parts.shift();
      if (part !== undefined) yield part;
      else if (isWhole) return;
      else if (failure !== undefined) throw failure;
      else {
        const cancel = clock.after(
          idleMs,
          () => fail(new Error(`the answer stands still: over ${idleMs / 1000} s`)),
        );
        await new Promise<void>((resolve) => {
          wake = resolve;
          message.resume();
        });
        wake = () => {};
        cancel();
      }
    }
  } finally {
    signal.removeEventListener("abort", onAbort);
    message.destroy();
  }
}
