import type { ReadLetter } from "../../buffer/dead-letters/read-letter.ts";
import { type BackoffLimits, backoffMs } from "../../lib/backoff.ts";
import { countOf } from "../../lib/count-of.ts";
import type { Clock } from "../../sdk/context.ts";
import type { EncodedOutput } from "../../sdk/define.ts";
import type { Payload } from "../../sdk/payload.ts";
import {
  PartialError,
  PermanentError,
  type RefusedPart,
  ThrottledError,
} from "../../sdk/errors.ts";

/** What became of a letter that was sent again. */
export type SendResult =
  | { readonly kind: "delivered" }
  /** The destination answered, and refuses it again. */
  | { readonly kind: "refused"; readonly message: string }
  /** It may arrive another time. */
  | { readonly kind: "failed"; readonly message: string };

export interface SendOptions {
  readonly output: Pick<EncodedOutput, "send">;
  /** Opens the output, once; is asked before each attempt. */
  readonly open: (signal: AbortSignal) => Promise<void>;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /**
   * A part arrived: what did not is to take the letter's place. When it rejects, nothing more is sent, so that as
   * little as possible arrives twice.
   */
  readonly onRest: (rest: PartialError, attempt: number) => Promise<void>;
  /**
   * Records of a payload of which a part arrived were refused again: they are to become a letter of their own. When it
   * rejects, nothing more is sent.
   */
  readonly onRefused: (part: RefusedPart, message: string, attempt: number) => Promise<void>;
  /** The same for records that the output cannot tell apart any more: nobody has them. */
  readonly onLost: (records: number, message: string) => void;
  /** For tests. */
  readonly backoff?: BackoffLimits;
}

/** How long an attempt may take, in milliseconds: outputs have limits of their own, but some have forgotten one. */
const DEADLINE_MS = 120_000;

const MAX_ATTEMPTS = 4;
const BACKOFF: BackoffLimits = { baseMs: 1000, capMs: 8000 };
/** Somebody sits in front of it: a destination that wants a longer pause is asked another time. */
const MAX_PAUSE_MS = 60_000;

/** Sends a letter's payload, with a few attempts. Never rejects. */
export async function sendLetter(
  { header, bytes }: ReadLetter,
  options: SendOptions,
): Promise<SendResult> {
  const { clock, signal, backoff = BACKOFF } = options;
  const { partition } = header;
  let payload = { bytes: bytes as Uint8Array, records: header.records, partition };
  for (let attempt = 1;; attempt++) {
    let error: unknown;
    try {
      if (await attemptOnce({ ...payload, attempt }, options)) return { kind: "delivered" };
    } catch (thrown) {
      error = thrown;
    }
    // It may arrive still: another attempt would only send it twice.
    if (error === undefined) {
      const seconds = DEADLINE_MS / 1000;
      return { kind: "failed", message: `no answer within ${seconds} s; it may have arrived` };
    }
    const message = messageOf(error);
    if (signal.aborted) return { kind: "failed", message: "stopped" };
    if (error instanceof PermanentError) return { kind: "refused", message };
    if (error instanceof PartialError) {
      try {
        await keepParts(error, attempt, options);
      } catch (failure) {
        return {
          kind: "failed",
          message: `a part arrived, and the rest cannot be kept: ${messageOf(failure)}`,
        };
      }
      if (error.records === 0) return { kind: "delivered" };
      payload = { bytes: error.remaining, records: error.records, partition };
    }
    if (attempt === MAX_ATTEMPTS) {
      return { kind: "failed", message: `${countOf(attempt, "attempt")} failed: ${message}` };
    }
    const pauseMs = error instanceof ThrottledError && error.retryAfterMs > 0
      ? error.retryAfterMs
      : backoffMs(attempt, backoff);
    if (pauseMs > MAX_PAUSE_MS) {
      const seconds = Math.ceil(pauseMs / 1000);
      return { kind: "failed", message: `it asks for a pause of ${seconds} s: ${message}` };
    }
    await clock.sleep(pauseMs, signal);
    if (signal.aborted) return { kind: "failed", message: "stopped" };
  }
}

/** Keeps what of a letter did not arrive, as far as it can be told. */
async function keepParts(
  error: PartialError,
  attempt: number,
  { onRest, onRefused, onLost }: SendOptions,
): Promise<void> {
  let lost = error.refused;
  for (const part of error.refusedParts) {
    await onRefused(part, part.message ?? error.message, attempt);
    lost -= part.records;
  }
  if (lost > 0) onLost(lost, error.message);
  if (error.records > 0) await onRest(error, attempt);
}

/** False when there is no answer in time. Rejects as the output does. */
async function attemptOnce(
  payload: Payload,
  { output, open, clock, signal }: SendOptions,
): Promise<boolean> {
  const deadline = new AbortController();
  const { promise: late, resolve } = Promise.withResolvers<boolean>();
  const cancel = clock.after(DEADLINE_MS, () => {
    resolve(false);
    deadline.abort();
  });
  const either = AbortSignal.any([signal, deadline.signal]);
  const sending = open(either).then(() => output.send(payload, either)).then(() => true);
  try {
    return await Promise.race([sending, late]);
  } finally {
    cancel();
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
