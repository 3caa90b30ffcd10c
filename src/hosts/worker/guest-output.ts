import { Batch } from "../../sdk/batch.ts";
import { type EncodedOutput, isEncodedOutput, type Output } from "../../sdk/define.ts";
import { PartialError, PermanentError } from "../../sdk/errors.ts";
import { batchesOf, encodedDeliveryOf, type OwnPayload } from "./delivery-text.ts";
import { GuestAttempt } from "./guest-attempt.ts";
import { GuestPayloads } from "./guest-payloads.ts";
import type { Delivery, WriteResult } from "./messages.ts";

/** An output in its worker: takes records, and does there what the engine does for an inline one. */
export class GuestOutput {
  private readonly output: Output | EncodedOutput;
  private opened: Promise<void> | undefined;

  constructor(output: Output | EncodedOutput) {
    this.output = output;
  }

  async write(delivery: Delivery, signal: AbortSignal): Promise<WriteResult | undefined> {
    await this.open(signal);
    const { output } = this;
    const format = isEncodedOutput(output) ? output.format ?? "" : undefined;
    const encoded = encodedDeliveryOf(delivery.bytes);
    if (encoded !== undefined && encoded.format !== format) {
      throw new PermanentError(
        "they were encoded in a form that the output does not send any more",
      );
    }
    if (!isEncodedOutput(output)) return await writeRecords(output, delivery, signal);
    const attempt = encoded === undefined
      ? await encode(output, batchesOf(delivery.bytes, delivery.tag))
      : new GuestAttempt(encoded.format, encoded.payloads);
    return await send(output, attempt, delivery.attempt, signal);
  }

  async close(): Promise<void> {
    await this.output.close?.();
  }

  /** Before the first delivery; a failed opening is tried again with the next. */
  private open(signal: AbortSignal): Promise<void> {
    this.opened ??= Promise.resolve(this.output.open?.(signal)).catch((error) => {
      this.opened = undefined;
      throw error;
    });
    return this.opened;
  }
}

async function writeRecords(
  output: Output,
  { bytes, tag }: Delivery,
  signal: AbortSignal,
): Promise<WriteResult | undefined> {
  const batches = batchesOf(bytes, tag);
  const records = batches.length === 1
    ? batches[0]!.records
    : batches.flatMap((batch) => batch.records);
  try {
    await output.write(Batch.of(tag, records), signal);
    return undefined;
  } catch (error) {
    // Nothing is left, and what was refused cannot be told from what was taken: it is counted.
    if (!(error instanceof PartialError) || error.records > 0) throw error;
    const attempt = new GuestAttempt("", [{ partition: tag, bytes, records: records.length }]);
    const { message, remaining, refused } = error;
    attempt.goesOn(new PartialError(message, remaining, 0, refused));
    return attempt.result;
  }
}

async function send(
  output: EncodedOutput,
  rest: GuestAttempt,
  attempt: number,
  signal: AbortSignal,
): Promise<WriteResult | undefined> {
  const { payloads } = rest;
  let progress = rest.hasDropped;
  while (payloads.length > 0) {
    try {
      await output.send({ ...payloads[0]!, attempt }, signal);
      payloads.shift();
    } catch (error) {
      const isLast = payloads.length === 1;
      if (!progress && !(error instanceof PartialError)) {
        if (!(error instanceof PermanentError) || isLast) throw error;
      }
      if (!rest.goesOn(error)) break;
    }
    progress = true;
  }
  return rest.result;
}

async function encode(output: EncodedOutput, batches: readonly Batch[]): Promise<GuestAttempt> {
  const writer = new GuestPayloads();
  let trouble: Error | undefined;
  for (const batch of batches) {
    writer.begin();
    try {
      output.encode(batch, writer);
      writer.lose(batch.length - writer.counted, "not_encoded");
    } catch (error) {
      trouble = troubleOf("cannot be encoded", error);
      writer.lose(batch.length - writer.counted, "encode_error");
    }
  }
  const payloads: OwnPayload[] = [];
  for (const payload of writer.finish(output.framing ?? {})) {
    try {
      const bytes = await output.seal?.(payload.bytes) ?? payload.bytes;
      payloads.push({ ...payload, bytes });
    } catch (error) {
      trouble = troubleOf("cannot be sealed", error);
      writer.lose(payload.records, "seal_error");
    }
  }
  return new GuestAttempt(output.format ?? "", payloads, writer.dropped, trouble);
}

function troubleOf(what: string, error: unknown): Error {
  return new Error(`${what}: ${error instanceof Error ? error.message : error}`);
}
