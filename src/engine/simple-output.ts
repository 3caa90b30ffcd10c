import { Packr } from "msgpackr/pack";
import { Batch } from "../sdk/batch.ts";
import type { EncodedOutput, Output } from "../sdk/define.ts";
import type { Body } from "../sdk/record.ts";

type Row = [sec: number, nsec: number, body: Body, metadata?: Body];

// "auto" (a bigint only where a number would lose digits) is in msgpackr's documentation, not in its types.
const MSGPACK_OPTIONS = { useRecords: false, int64AsType: "auto" as unknown as "bigint" };

/**
 * Gives an output that only has `write` the engine's way: what waits are bytes here too. One payload holds
 * the records of one tag, and is decoded again when it is its turn.
 */
export function encodeForSimpleOutput(output: Output): EncodedOutput {
  const packr = new Packr(MSGPACK_OPTIONS);
  return {
    format: "records",
    ...(output.open && { open: (signal: AbortSignal) => output.open!(signal) }),
    ...(output.close && { close: () => output.close!() }),
    encode(batch, into) {
      into.partition(batch.tag);
      const rows = batch.records.map(({ sec, nsec, body, metadata }): Row =>
        metadata === undefined ? [sec, nsec, body] : [sec, nsec, body, metadata]
      );
      into.bytes(packr.pack(rows), rows.length);
    },
    async send(payload, signal) {
      const records = [];
      for (const rows of packr.unpackMultiple(payload.bytes) as Row[][]) {
        for (const [sec, nsec, body, metadata] of rows) records.push({ sec, nsec, body, metadata });
      }
      await output.write(Batch.of(payload.partition, records), signal);
    },
  };
}
