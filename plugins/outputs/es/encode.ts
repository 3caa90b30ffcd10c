import {
  type Batch,
  type Body,
  type FieldValue,
  isBody,
  lineFrame,
  type Logger,
  type LogRecord,
  type PayloadWriter,
  quoteLines,
  setField,
  stringifyJson,
  stringifyJsonLines,
} from "logcollector/plugin";
import type { BulkConfig } from "./config.ts";
import { documentId } from "./document-id.ts";
import { dateText, type IndexNames } from "./index-name.ts";

type Write = Pick<PayloadWriter, "text" | "drop">;

/** What stands around a document on its line: an update has it inside of another object. */
const AROUND: Readonly<Record<BulkConfig["write_operation"], readonly [string, string]>> = {
  create: ["", "\n"],
  index: ["", "\n"],
  update: ['{"doc":', "}\n"],
  upsert: ['{"doc_as_upsert":true,"doc":', "}\n"],
};

/**
 * Writes records in the form of the bulk API: for each a line that says what to do with it, and a line that is the
 * document. All of it is JSON, so nothing in a record can end a line.
 */
export function bulkEncoder(
  config: BulkConfig,
  indices: IndexNames,
  log: Logger,
): (batch: Batch, into: Write) => void {
  const isUpdate = /^up/.test(config.write_operation);
  const [before, after] = AROUND[config.write_operation];
  const idOf = documentId(config, log);
  const extrasOf = extraFields(config);
  const actionOf = actionLine(config);
  const bodyOf = config.replace_dots
    ? ({ body }: LogRecord) => withoutDots(body)
    : ({ body }: LogRecord) => body;

  /** Lines that nobody looked into, and that have their index, time and tag in common. */
  function lines(batch: Batch): string | undefined {
    const { raw, tag } = batch;
    if (raw === undefined || idOf !== undefined || indices.needsBody) return undefined;
    if (config.replace_dots) return undefined;
    const frame = lineFrame({ ...extrasOf(raw.sec, raw.nsec, tag), ...raw.extra }, raw.key);
    if (frame === undefined) return undefined;
    const head = actionOf(indices.of(raw.sec, tag, {}), undefined) + before + frame.before;
    const tail = frame.after + after;
    return head + quoteLines(raw, tail + head) + tail;
  }

  return (batch, into) => {
    if (batch.length === 0) return;
    const text = lines(batch);
    if (text !== undefined) return into.text(text, batch.length);
    const { tag, records } = batch;
    const documents = stringifyJsonLines(records, bodyOf).split("\n");
    let written = "";
    let dropped = 0;
    for (let i = 0; i < records.length; i++) {
      const record = records[i]!;
      const { sec, nsec, body } = record;
      const extras = extrasOf(sec, nsec, tag);
      const id = idOf?.(body, () => ({ ...extras, ...bodyOf(record) }));
      if (isUpdate && id === undefined) {
        dropped++;
        continue;
      }
      written += actionOf(indices.of(sec, tag, body), id) + before;
      written += inFront(extras, body, documents[i]!) + after;
    }
    if (dropped > 0) into.drop(dropped, "missing_id");
    if (dropped < records.length) into.text(written, records.length - dropped);
  };
}

/** The time and the tag, as fields of the document. */
function extraFields(config: BulkConfig): (sec: number, nsec: number, tag: string) => Body {
  const { time_key: timeKey, tag_key: tagKey, include_tag_key: hasTag } = config;
  const secondOf = dateText(config.time_key_format);
  const timeOf = config.time_key_nanos
    ? (sec: number, nsec: number) => `${secondOf(sec)}.${String(nsec).padStart(9, "0")}Z`
    : (sec: number, nsec: number) =>
      `${secondOf(sec)}.${String(Math.floor(nsec / 1e6)).padStart(3, "0")}Z`;
  return (sec, nsec, tag) => {
    const extras: Body = {};
    setField(extras, timeKey, timeOf(sec, nsec));
    if (hasTag) setField(extras, tagKey, tag);
    return extras;
  };
}

/** The document's JSON with the extra fields in front, of which the record's own take precedence. */
function inFront(extras: Body, body: Body, document: string): string {
  const missing: Body = {};
  for (const key in extras) if (!Object.hasOwn(body, key)) setField(missing, key, extras[key]!);
  const head = stringifyJson(missing);
  if (head === "{}") return document;
  return document === "{}" ? head : `${head.slice(0, -1)},${document.slice(1)}`;
}

/** The line in front of a document. The last one is remembered, since most documents go the same way. */
function actionLine(config: BulkConfig): (index: string, id: string | undefined) => string {
  const action = /^up/.test(config.write_operation) ? "update" : config.write_operation;
  const type = config.suppress_type_name ? {} : { _type: config.type };
  const make = (index: string, id: string | undefined): string =>
    `${stringifyJson({ [action]: { _index: index, ...type, _id: id } })}\n`;
  let lastIndex: string | undefined;
  let last = "";
  return (index, id) => {
    if (id !== undefined) return make(index, id);
    if (index !== lastIndex) {
      last = make(index, id);
      lastIndex = index;
    }
    return last;
  };
}

function withoutDots(body: Body): Body {
  const renamed: Body = {};
  for (const key in body) setField(renamed, key.replaceAll(".", "_"), renamedValue(body[key]!));
  return renamed;
}

function renamedValue(value: FieldValue): FieldValue {
  if (Array.isArray(value)) return value.map(renamedValue);
  return isBody(value) ? withoutDots(value) : value;
}
