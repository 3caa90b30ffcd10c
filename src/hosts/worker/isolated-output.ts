import type { Batch } from "../../sdk/batch.ts";
import type { OutputContext } from "../../sdk/context.ts";
import type { EncodedOutput } from "../../sdk/define.ts";
import { withDropReasons } from "../../sdk/drop-reasons.ts";
import { PartialError, PermanentError } from "../../sdk/errors.ts";
import type { Framing, Payload, PayloadWriter } from "../../sdk/payload.ts";
import type { Preparable } from "../../sdk/preparable.ts";
import { applyCommon } from "./apply-event.ts";
import { DELIVERY_FORMAT, DELIVERY_FRAMING, toDeliveryLine } from "./delivery-text.ts";
import { fromErrorMessage } from "./error-message.ts";
import { HostFailure } from "./host-failure.ts";
import type { WriteResult } from "./messages.ts";
import { type HostOptions, WorkerHost } from "./worker-host.ts";

/**
 * An output that runs in a worker. The engine queues the records here, and tries again here; the worker encodes
 * and sends them.
 */
export class IsolatedOutput implements EncodedOutput, Preparable {
  readonly format = DELIVERY_FORMAT;
  readonly framing: Framing = DELIVERY_FRAMING;
  private readonly host: WorkerHost;

  constructor(ctx: OutputContext, options: Omit<HostOptions, "onEvent" | "isWaiting">) {
    this.host = new WorkerHost({
      ...options,
      onEvent: (event) => void applyCommon(event, ctx),
      isWaiting: () => false,
    });
  }

  prepare(): Promise<void> {
    return this.host.prepare();
  }

  encode(batch: Batch, into: PayloadWriter): void {
    into.partition(batch.tag);
    into.text(toDeliveryLine(batch.records), batch.length);
  }

  async send(payload: Payload, signal: AbortSignal): Promise<void> {
    const { maxAttempts } = this.host;
    for (let failures = 0;;) {
      try {
        const result = await this.attempt(payload, signal);
        if (result !== undefined) throw partialError(result);
        return;
      } catch (error) {
        if (!(error instanceof HostFailure) || signal.aborted || this.host.isClosed) throw error;
        if (!error.blamed || ++failures < maxAttempts) continue;
        throw withDropReasons(
          new PermanentError(`the plugin's worker failed ${failures} times: it ${error.message}`),
          { plugin_failed: payload.records },
        );
      }
    }
  }

  close(): Promise<void> {
    return this.host.close();
  }

  private attempt(payload: Payload, signal: AbortSignal): Promise<WriteResult | undefined> {
    const { partition: tag, attempt } = payload;
    // A copy of these bytes alone: what lies around them would be cloned with them.
    const delivery = { bytes: new Uint8Array(payload.bytes), tag, attempt };
    return this.host.call({ method: "write", delivery }, signal);
  }
}

function partialError(result: WriteResult): PartialError {
  const { remaining, records, dropped, refusedParts, error } = result;
  const refused = Object.values(dropped).reduce((sum, each) => sum + each, 0);
  const cause = error && fromErrorMessage(error);
  return withDropReasons(
    new PartialError(error?.message ?? "", remaining, records, refused, { cause, refusedParts }),
    dropped,
  );
}
