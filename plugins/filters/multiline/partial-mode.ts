import {
  Batch,
  type Body,
  type FieldValue,
  type Filter,
  type FilterContext,
  type LogRecord,
  setField,
} from "logcollector/plugin";

const MESSAGE = "partial_message";
const ID = "partial_id";
const LAST = "partial_last";
const PREFIX = "partial_";
/** A message whose last part never comes ends here, as every joined text does by default, in characters. */
const MAX_CHARS = 2_000_000;

/** A message of which parts have come. */
interface Parts {
  readonly tag: string;
  readonly stream: string;
  readonly record: LogRecord;
  text: string;
  /** The batches that the parts came in. */
  readonly releases: (() => void)[];
  cancelFlush: () => void;
}

/**
 * Joins the parts that Docker's fluentd log driver marks with `partial_message`, `partial_id` and
 * `partial_last`. The joined record stands where its last part came.
 */
export function createPartialMode(key: string, flushMs: number, ctx: FilterContext): Filter {
  const waiting = new Map<string, Parts>();

  /** Takes a part; gives the joined record if it was the last, `undefined` if it waits, `null` if it is none. */
  function take(
    batch: Batch,
    record: LogRecord,
    hold: () => () => void,
  ): LogRecord | null | undefined {
    const { body } = record;
    const text = body[key];
    const partId = body[ID];
    if (typeof partId !== "string" || typeof text !== "string") {
      ctx.log.warn(`Cannot join a partial message: it has no text in ${ID} or in ${key}`);
      return null;
    }
    const id = `${batch.tag}\0${batch.stream}\0${partId}`;
    let parts = waiting.get(id);
    if (parts === undefined) {
      const { tag, stream } = batch;
      const first = { ...record, body: withoutMarks(body, key) };
      parts = { tag, stream, record: first, text: "", releases: [], cancelFlush: () => {} };
      waiting.set(id, parts);
    }
    parts.text += text;
    parts.cancelFlush();
    if (isTrue(body[LAST]) || parts.text.length >= MAX_CHARS) {
      waiting.delete(id);
      for (const release of parts.releases) release();
      return finish(parts, key);
    }
    const waits = parts;
    parts.releases.push(hold());
    parts.cancelFlush = ctx.clock.after(flushMs, () => {
      waiting.delete(id);
      const { tag, stream, releases } = waits;
      const safe = (): void => releases.forEach((release) => release());
      void ctx.emit(Batch.of(tag, [finish(waits, key)], { stream }), safe);
    });
    return undefined;
  }

  return {
    process(batch) {
      const records: LogRecord[] = [];
      for (const record of batch.records) {
        const joined = isTrue(record.body[MESSAGE]) ? take(batch, record, () => ctx.hold()) : null;
        if (joined !== undefined) records.push(joined ?? record);
      }
      return batch.with(records);
    },
    flush() {
      const batches = [...waiting.values()].map((parts) => {
        parts.cancelFlush();
        return Batch.of(parts.tag, [finish(parts, key)], { stream: parts.stream });
      });
      waiting.clear();
      return batches;
    },
  };
}

function isTrue(value: FieldValue | undefined): boolean {
  return typeof value === "string" && /^true/i.test(value);
}

function withoutMarks(body: Body, key: string): Body {
  const rest: Body = {};
  for (const name of Object.keys(body)) {
    if (name !== key && !name.startsWith(PREFIX)) setField(rest, name, body[name]!);
  }
  return rest;
}

function finish({ record, text }: Parts, key: string): LogRecord {
  setField(record.body, key, text);
  return record;
}
