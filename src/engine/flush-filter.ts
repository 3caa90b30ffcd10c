import type { Batch } from "../sdk/batch.ts";
import type { MaybePromise } from "../sdk/define.ts";
import type { FilterRunner } from "./filter-runner.ts";
import type { Ticket } from "./ticket.ts";

/**
 * Sends on what a filter held back, and lets go of the batches that it came from once it is safe. Resolves with what
 * `process` returned for each batch, when all have been handed over.
 */
export async function flushFilter(
  filter: FilterRunner,
  process: (batch: Batch, ticket: Ticket) => MaybePromise<void>,
): Promise<readonly MaybePromise<void>[]> {
  const batches = await filter.flush();
  const release = filter.takeHolds();
  let unsafe = batches.length;
  if (unsafe === 0) release();
  return batches.map((batch) => {
    const ticket = filter.emits(batch, () => {
      if (--unsafe === 0) release();
    });
    try {
      return process(batch, ticket);
    } finally {
      ticket.release();
    }
  });
}
