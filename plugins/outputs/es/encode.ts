import {
  type Batch,
  type Body,
  type FieldValue,
  isBody,
  type Logger,
  type LogRecord,
  type PayloadWriter,
  setField,
  stringifyJson,
  stringifyJsonLines,
} from "logcollector/plugin";
import { bulkBytesWriter } from "./bulk-bytes.ts";
import { bulkLines, isUpdate } from "./bulk-lines.ts";
import type { BulkConfig } from "./config.ts";
import { documentId } from "./document-id.ts";
import { extraFields } from "./extra-fields.ts";
import type { IndexNames } from "./index-name.ts";

type Write = Pick<PayloadWriter, "text" | "bytes" | "drop">;

/**
 * Writes records in the form of the bulk API: for each a line that says what to do with it, and a line that is the
 * document. All of it is JSON, so nothing in a record can end a line.
 */
export function bulkEncoder(
  config: BulkConfig,
  indices: IndexNames,
  log: Logger,
): (batch: Batch, into: Write) => void {
  const mustHaveId = isUpdate(config);
  const idOf = documentId(config, log);
  const extrasOf = extraFields(config);
  const bulk = bulkLines(config);
  const fromBytes = bulkBytesWriter(config, indices, bulk, extrasOf);
  const bodyOf = config.replace_dots
    ? ({ body }: LogRecord) => withoutDots(body)
    : ({ body }: LogRecord) => body;

  function ofRecords({ tag, records }: Batch, into: Write): void {
    const documents = stringifyJsonLines(records, bodyOf).split("\n");
    let written = "";
    let dropped = 0;
    for (let i = 0; i < records.length; i++) {
      const record = records[i]!;
      const { sec, nsec, body } = record;
      const extras = extrasOf(sec, nsec, tag);
      const id = idOf?.(body, () => ({ ...extras, ...bodyOf(record) }));
      if (mustHaveId && id === undefined) {
        dropped++;
        continue;
      }
      written += bulk.head(indices.of(sec, tag, body), id);
      written += inFront(extras, body, documents[i]!) + bulk.tail;
    }
    if (dropped > 0) into.drop(dropped, "missing_id");
    if (dropped < records.length) into.text(written, records.length - dropped);
  }

  return (batch, into) => {
    if (batch.length === 0) return;
    const written = fromBytes(batch);
    if (written === undefined) ofRecords(batch, into);
    else if (typeof written === "string") into.text(written, batch.length);
    else into.bytes(written, batch.length);
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

function withoutDots(body: Body): Body {
  const renamed: Body = {};
  for (const key in body) setField(renamed, key.replaceAll(".", "_"), renamedValue(body[key]!));
  return renamed;
}

function renamedValue(value: FieldValue): FieldValue {
  if (Array.isArray(value)) return value.map(renamedValue);
  return isBody(value) ? withoutDots(value) : value;
}
