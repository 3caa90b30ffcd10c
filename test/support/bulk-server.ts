import { gunzipSync } from "node:zlib";

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

/** A server with a bulk API that does with each record what a test says, and remembers what it took. */
export class BulkServer implements Disposable {
  /** Documents of the requests that came, in their order. */
  readonly requests: Doc[][] = [];
  /** What was taken, by its id or in the order of arrival. */
  readonly taken = new Map<string, Doc>();
  readonly indices = new Set<string>();
  private readonly server: Bun.Server<undefined>;
  private readonly statusOf: (doc: Doc, times: number) => number;
  private readonly times = new Map<string, number>();

  /** @param statusOf what becomes of a document that comes so many times; 200 puts it where nothing of its id is yet */
  constructor(statusOf: (doc: Doc, times: number) => number) {
    this.statusOf = statusOf;
    this.server = Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      fetch: async (request) => {
        const bytes = await request.bytes();
        const isPacked = request.headers.get("content-encoding") === "gzip";
        return new Response(this.answer(isPacked ? gunzipSync(bytes) : bytes));
      },
    });
  }

  get port(): number {
    return this.server.port!;
  }

  [Symbol.dispose](): void {
    void this.server.stop(true);
  }

  private answer(body: Uint8Array): string {
    const records = bulkRecords(body);
    this.requests.push(records.map(({ doc }) => doc));
    return bulkAnswer(records.map(({ meta, doc }) => this.take(meta, doc)));
  }

  private take({ _id, _index }: Meta, doc: Doc): number {
    const { "@timestamp": _, ...fields } = doc;
    const key = JSON.stringify(fields);
    const times = (this.times.get(key) ?? 0) + 1;
    this.times.set(key, times);
    const status = this.statusOf(doc, times);
    if (status >= 300) return status;
    const id = _id ?? `${this.taken.size}`;
    if (this.taken.has(id)) return 409;
    this.taken.set(id, doc);
    this.indices.add(String(_index));
    return 201;
  }
}
