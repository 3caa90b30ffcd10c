import { Batch } from "../sdk/batch.ts";
import type { Clock } from "../sdk/context.ts";
import { type Body, cloneValue, type LogRecord } from "../sdk/record.ts";

/** The tag of records when a test names none. */
export const TAG = "test";

/** What a test hands over as records. */
export interface FeedOptions {
  /** The tag of the records, `test` by default. */
  readonly tag?: string | undefined;
}

/** A batch of plain bodies at the clock's time. The bodies are copied: a plugin may change its records. */
export function batchOf(
  bodies: readonly Body[],
  clock: Pick<Clock, "wall">,
  { tag = TAG }: FeedOptions = {},
): Batch {
  const { sec, nsec } = clock.wall();
  return Batch.of(tag, bodies.map((body) => ({ sec, nsec, body: cloneValue(body) })), {
    stream: TAG,
    bytes: bodies.length * 100,
  });
}

/** A batch of lines that nobody has made records of yet, as a file is read. */
export function batchOfLines(
  lines: readonly string[],
  clock: Pick<Clock, "wall">,
  { tag = TAG, key = "log" }: FeedOptions & { readonly key?: string } = {},
): Batch {
  const bytes = lines.reduce((sum, line) => sum + line.length + 1, 0);
  return Batch.ofLines(tag, { key, lines, ...clock.wall() }, { stream: TAG, bytes });
}

/** The bodies of batches, in order. */
export function bodiesOf(batches: readonly Batch[]): Body[] {
  return batches.flatMap((batch) => batch.records.map(({ body }) => body));
}

/** Copies that share nothing that could be changed. */
export function copyRecords(records: readonly LogRecord[]): LogRecord[] {
  return records.map((record) => ({
    ...record,
    body: cloneValue(record.body),
    ...(record.metadata && { metadata: cloneValue(record.metadata) }),
  }));
}
