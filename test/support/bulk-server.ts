/** What a record becomes at a {@link bulkAnswer}: a status, with words for those that are errors. */
export interface BulkItem {
  readonly status: number;
  readonly type?: string;
  readonly reason?: string;
}

/** The records of a bulk request: what to do, and with which document. */
export function bulkRecords(body: string | Uint8Array): { action: string; meta: Meta; doc: Doc }[] {
  const lines = Buffer.from(body).toString("utf8").split("\n");
  if (lines.pop() !== "") throw new Error("a bulk request must end with a line feed");
  return lines.flatMap((line, i) => {
    if (i % 2 === 1) return [];
    const [action, meta] = Object.entries(JSON.parse(line))[0] as [string, Meta];
    return [{ action, meta, doc: JSON.parse(lines[i + 1]!) as Doc }];
  });
}
export type Meta = Readonly<{ _index?: string; _id?: string }>;
export type Doc = Readonly<Record<string, unknown>>;

/** An answer of the bulk API, as Elasticsearch and OpenSearch write it. */
export function bulkAnswer(
  items: readonly (number | BulkItem)[],
  action = "create",
): string {
  const all = items.map((item) => typeof item === "number" ? { status: item } : item);
  return JSON.stringify({
    took: 7,
    errors: all.some(({ status }) => status >= 300),
    items: all.map(({ status, type = TYPES[status], reason = `the reason of ${status}` }) => ({
      [action]: {
        _index: "app",
        _id: "Aq3b",
        status,
        ...(status < 300 ? RESULT : { error: { type: type ?? "some_exception", reason } }),
      },
    })),
  });
}

const RESULT = {
  _version: 1,
  result: "created",
  _shards: { total: 2, successful: 1, failed: 0 },
  _seq_no: 0,
  _primary_term: 1,
};
const TYPES: Readonly<Record<number, string>> = {
  400: "mapper_parsing_exception",
  409: "version_conflict_engine_exception",
  429: "es_rejected_execution_exception",
  503: "unavailable_shards_exception",
};
