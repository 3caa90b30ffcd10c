import { countOf } from "../../lib/count-of.ts";
import { type CommandIo, EXIT } from "../command-io.ts";
import { eachQueue, type QueuesAt, showJson } from "./each-queue.ts";
import { queueFields, queueRows, type Row } from "./queue-rows.ts";
import { type DamagedPlace, type Verification, verifySegments } from "./verify-segments.ts";

/** `logcollector queue verify`: reads all that is in queues. Status 1 when something is damaged. */
export function verifyQueues(queues: QueuesAt, json: boolean, io: CommandIo): number {
  const sum = { queues: 0, places: 0, records: 0 };
  const status = eachQueue(queues, json, io, (queue, files) => {
    const found = verifySegments(files, queue);
    const { payloads, records, damaged, cutOff } = found;
    sum.queues++;
    sum.places += damaged.length;
    sum.records += damaged.reduce((total, place) => total + place.records, 0);
    if (json) {
      showJson({ ...queueFields(queue), payloads, records, damaged, cut_off: cutOff ?? null }, io);
    } else io.stdout(queueRows(queue, rowsOf(found, queue.content.segments.length)));
    return damaged.length === 0 ? EXIT.ok : EXIT.failed;
  });
  if (!json && sum.queues > 0) {
    const what = [
      countOf(sum.queues, "queue"),
      countOf(sum.places, "damaged place"),
      `${countOf(sum.records, "record")} missing`,
    ];
    io.stdout(`${what.join(", ")}\n`);
  }
  return status;
}

function rowsOf(
  { payloads, records, bytes, damaged, cutOff }: Verification,
  segments: number,
): Row[] {
  const what = `${countOf(payloads, "payload")}, ${countOf(records, "record")}`;
  const rows: Row[] = [
    ["verified", `${what}, ${countOf(bytes, "byte")} in ${countOf(segments, "segment")}`],
    ...damaged.map((place): Row => ["damaged", describe(place)]),
  ];
  if (cutOff === undefined) return rows;
  const { file, from, to } = cutOff;
  const note = "a write that did not come to its end; one that is under way looks the same";
  return [...rows, ["cut off", `${file}, bytes ${from} to ${to}: ${note}`]];
}

function describe({ file, from, to, records, what }: DamagedPlace): string {
  if (what === "header") return `${file}, bytes ${from} to ${to}: its header; no record is missing`;
  const missing = records === 0
    ? "nothing that waits is missing"
    : `${countOf(records, "record")} missing`;
  return what === "missing"
    ? `${file}, at byte ${from}: ${missing}, which should stand in front of it`
    : `${file}, bytes ${from} to ${to}: ${missing}`;
}
