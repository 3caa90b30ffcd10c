import { type Kernels, kernels } from "../lib/kernels.ts";
import type { Batch } from "./batch.ts";
import { answerAll } from "./json-answers.ts";
import type { JsonLines } from "./json-lines.ts";
import type { RecordTest } from "./record-test.ts";

/**
 * Leaves out the records for which the test says no, in place. Makes no records of a batch that still is bytes where the
 * test only asks for fields; the filter that calls it {@link Filter.borrows}.
 */
export function keepRecords(batch: Batch, { test, question }: RecordTest): void {
  const json = question && batch.toJson();
  if (json !== undefined) {
    const kernel = kernels();
    if (answerAll(question!, json, kernel)) return batch.exchange(kept(json, kernel));
  }
  const { records } = batch;
  let left = 0;
  for (let i = 0; i < records.length; i++) {
    const record = records[i]!;
    if (test(record.body)) records[left++] = record;
  }
  records.length = left;
}

/** Whether the test says yes to at least one of the records. Changes nothing. */
export function someRecord(batch: Batch, { test, question }: RecordTest): boolean {
  const json = question && batch.toJson();
  if (json !== undefined) {
    const kernel = kernels();
    if (answerAll(question!, json, kernel)) {
      return kernel.answers.subarray(0, json.count).includes(1);
    }
  }
  return batch.records.some(({ body }) => test(body));
}

function kept(json: JsonLines, { call, answers }: Kernels): JsonLines {
  const rewritten = json.rewritten.size === 0 ? json.rewritten : stillThere(json, answers);
  return { ...json, rewritten, count: call.keepLines(json.count) };
}

/** The same under their new numbers. */
function stillThere({ rewritten }: JsonLines, answers: Uint8Array): ReadonlyMap<number, string> {
  const left = new Map<number, string>();
  let seen = 0;
  let before = 0;
  for (const [i, text] of rewritten) {
    for (; seen < i; seen++) before += answers[seen]!;
    if (answers[i] === 1) left.set(before, text);
  }
  return left;
}
