import type { Batch } from "../../sdk/batch.ts";
import { msgpackEncoder } from "../../sdk/msgpack-encoder.ts";

/** What the engine calls the form of payloads with such records. */
export const EVENTS_FORMAT = "events";

const encoder = msgpackEncoder({ metadata: "where_present" });

/**
 * The records of a batch as Fluent Bit hands them to a Go plugin: `[time, body]`, one behind the other, and
 * `[[time, metadata], body]` for records that have metadata. The short form is what every version of the Go
 * package decodes. Valid until the next call.
 */
export function encodeEvents(batch: Batch): Uint8Array {
  return encoder.encode(batch);
}
