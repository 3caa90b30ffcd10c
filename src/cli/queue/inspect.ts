import type { DiskFiles } from "../../buffer/disk/files.ts";
import { type Survey, survey } from "../../buffer/disk/survey.ts";
import { countOf } from "../../lib/count-of.ts";
import { type CommandIo, EXIT } from "../command-io.ts";
import { countWaiting } from "./count-waiting.ts";
import { eachQueue, type QueuesAt, showJson } from "./each-queue.ts";
import type { QueueOnDisk } from "./look-at-queue.ts";
import { queueFields, queueRows, type Row } from "./queue-rows.ts";
import { findTakers, type Taker } from "./takers.ts";

/** `logcollector queue inspect`: what queues are there, what waits in them, and who is to send it. */
export async function inspectQueues(
  queues: QueuesAt,
  { streams, json }: { readonly streams: boolean; readonly json: boolean },
  io: CommandIo,
): Promise<number> {
  const takerOf = queues.loaded && await findTakers(queues.loaded, io);
  return eachQueue(queues, json, io, (queue, files) => {
    const found = inspect(files, queue);
    const taker = takerOf?.(queue);
    if (json) showJson(objectOf(queue, found, taker, streams), io);
    else io.stdout(queueRows(queue, rowsOf(queue, found, taker, streams)));
    return EXIT.ok;
  });
}

interface Inspection {
  readonly waitingPayloads: number;
  readonly waitingRecords: number;
  /** Entries and records that are done with, since the queue was made. */
  readonly done: { readonly entries: number; readonly records: number } | undefined;
  readonly claims: Survey["claims"];
}

function inspect(files: DiskFiles, queue: QueueOnDisk): Inspection {
  const { content, folder, salt, cursor } = queue;
  const { segments, claims, unsafeRecords } = survey(content, { files, folder, salt, cursor });
  const lastSeq = segments.at(-1)?.lastSeq ?? 0;
  const doneSeq = Math.max(cursor?.doneSeq ?? 0, (segments[0]?.firstSeq ?? 1) - 1);
  return {
    waitingPayloads: Math.max(0, lastSeq - doneSeq),
    waitingRecords: Math.max(0, countWaiting(files, queue) - unsafeRecords),
    done: cursor && { entries: cursor.doneSeq, records: cursor.doneRecords },
    claims,
  };
}

function rowsOf(
  { content: { segments }, bytes, kept, identity, cursor }: QueueOnDisk,
  { waitingPayloads, waitingRecords, done, claims }: Inspection,
  taker: Taker | undefined,
  streams: boolean,
): Row[] {
  const [oldest, newest] = [segments[0]?.facts.name, segments.at(-1)?.facts.name];
  const range = oldest === undefined
    ? ""
    : oldest === newest
    ? `: ${oldest}`
    : `: ${oldest} to ${newest}`;
  const rows: Row[] = [
    ["waiting", `${countOf(waitingRecords, "record")} in ${countOf(waitingPayloads, "payload")}`],
    ["on disk", `${countOf(bytes, "byte")} in ${countOf(segments.length, "segment")}${range}`],
  ];
  if (done !== undefined) {
    const { entries, records } = done;
    rows.push(["done", `${countOf(records, "record")} in ${countOf(entries, "payload")} so far`]);
  }
  if (kept.files > 0) {
    const what = `${countOf(kept.files, "part")}, ${countOf(kept.bytes, "byte")}`;
    rows.push(["damaged", `${what} kept in its folder "damaged"`]);
  }
  if (streams) {
    for (const { input, stream, position } of claims.values()) {
      rows.push(["stream", `${input} ${stream}: ${position}`]);
    }
  }
  if (identity === undefined) rows.push(["note", "queue.json is missing or damaged"]);
  if (cursor === undefined && segments.length > 0) {
    rows.push(["note", "its cursor is missing or damaged: all that is there counts as waiting"]);
  }
  if (taker?.problem !== undefined) rows.push(["note", taker.problem]);
  return rows;
}

function objectOf(
  queue: QueueOnDisk,
  { waitingPayloads, waitingRecords, done, claims }: Inspection,
  taker: Taker | undefined,
  streams: boolean,
): object {
  const { content: { segments }, kept } = queue;
  return {
    ...queueFields(queue),
    oldest_segment: segments[0]?.facts.name ?? null,
    newest_segment: segments.at(-1)?.facts.name ?? null,
    waiting_payloads: waitingPayloads,
    waiting_records: waitingRecords,
    done_payloads: done?.entries ?? null,
    done_records: done?.records ?? null,
    damaged_parts: kept.files,
    damaged_bytes: kept.bytes,
    ...(taker && { taken_by: taker.output ?? null }),
    ...(streams && {
      streams: [...claims.values()].map(({ input, stream, position }) => ({
        input,
        stream,
        position,
      })),
    }),
  };
}
