import { Batch } from "../../sdk/batch.ts";
import { type EncodedOutput, isEncodedOutput, type Output } from "../../sdk/define.ts";
import { PartialError, PermanentError } from "../../sdk/errors.ts";
import { batchesOf, tokenOf } from "./delivery-text.ts";
import { GuestPayloads, type OwnPayload } from "./guest-payloads.ts";
import type { Delivery, WriteResult } from "./messages.ts";

/** What is left of a delivery. */
interface Rest {
  readonly payloads: OwnPayload[];
  /** Records given up in this attempt, by reason. */
  dropped: Record<string, number>;
  message: string;
}

/** Deliveries of which a rest is kept for the next attempt. */
const MAX_RESTS = 16;

/** An output in its worker: takes records, and does there what the engine does for an inline one. */
export class GuestOutput {
  private readonly output: Output | EncodedOutput;
  private readonly rests = new Map<number, Rest>();
  private opened: Promise<void> | undefined;
  private tokens = 0;

  constructor(output: Output | EncodedOutput) {
    this.output = output;
  }

  async write(delivery: Delivery, signal: AbortSignal): Promise<WriteResult | undefined> {
    await this.open(signal);
    const { output } = this;
    const text = Buffer.from(delivery.bytes).toString("utf8");
    if (!isEncodedOutput(output)) {
      const batches = batchesOf(text, delivery.tag);
      const records = batches.length === 1
        ? batches[0]!.records
        : batches.flatMap((batch) => batch.records);
      await output.write(Batch.of(delivery.tag, records), signal);
      return undefined;
    }
    const token = tokenOf(text);
    const known = token === undefined ? undefined : this.rests.get(token);
    if (token !== undefined) this.rests.delete(token);
    const rest = known ?? await encode(output, batchesOf(text, delivery.tag));
    return await this.send(output, rest, delivery.attempt, signal);
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

  private async send(
    output: EncodedOutput,
    rest: Rest,
    attempt: number,
    signal: AbortSignal,
  ): Promise<WriteResult | undefined> {
    const { payloads } = rest;
    let progress = Object.keys(rest.dropped).length > 0;
    while (payloads.length > 0) {
      const payload = payloads[0]!;
      try {
        await output.send({ ...payload, attempt }, signal);
        payloads.shift();
      } catch (error) {
        const isLast = payloads.length === 1;
        if (!progress && !(error instanceof PartialError)) {
          if (!(error instanceof PermanentError) || isLast) throw error;
        }
        if (!this.goesOn(rest, error)) break;
      }
      progress = true;
    }
    return this.resultOf(rest);
  }

  /** Notes what an error means for the first payload of the rest. True when the next one can be sent. */
  private goesOn(rest: Rest, error: unknown): boolean {
    const payload = rest.payloads[0]!;
    rest.message = error instanceof Error ? error.message : String(error);
    if (error instanceof PartialError) {
      if (error.refused > 0) addTo(rest.dropped, "refused", error.refused);
      payload.bytes = error.remaining;
      payload.records = error.records;
      if (error.records > 0) return false;
    } else if (error instanceof PermanentError) addTo(rest.dropped, "refused", payload.records);
    else return false;
    rest.payloads.shift();
    return true;
  }

  private resultOf(rest: Rest): WriteResult | undefined {
    const { payloads, dropped, message } = rest;
    if (payloads.length === 0 && Object.keys(dropped).length === 0) return undefined;
    const token = ++this.tokens;
    if (payloads.length > 0) {
      if (this.rests.size >= MAX_RESTS) this.rests.delete(this.rests.keys().next().value!);
      this.rests.set(token, { payloads, dropped: {}, message: "" });
    }
    const records = payloads.reduce((sum, payload) => sum + payload.records, 0);
    return { token, records, dropped, message };
  }
}

/** Everything that `encode` makes of the batches, sealed. */
async function encode(output: EncodedOutput, batches: readonly Batch[]): Promise<Rest> {
  const writer = new GuestPayloads();
  let message = "";
  for (const batch of batches) {
    writer.begin();
    try {
      output.encode(batch, writer);
      writer.lose(batch.length - writer.counted, "not_encoded");
    } catch (error) {
      message = `cannot be encoded: ${error instanceof Error ? error.message : error}`;
      writer.lose(batch.length - writer.counted, "encode_error");
    }
  }
  const payloads: OwnPayload[] = [];
  for (const payload of writer.finish(output.framing ?? {})) {
    try {
      const bytes = await output.seal?.(payload.bytes) ?? payload.bytes;
      payloads.push({ ...payload, bytes });
    } catch (error) {
      message = `cannot be sealed: ${error instanceof Error ? error.message : error}`;
      writer.lose(payload.records, "seal_error");
    }
  }
  return { payloads, dropped: writer.dropped, message };
}

function addTo(counts: Record<string, number>, reason: string, records: number): void {
  counts[reason] = (counts[reason] ?? 0) + records;
}
