import {
  basicAuthorization,
  type Compression,
  compressions,
  ConfigError,
  type EncodedOutput,
  httpClient,
  type HttpHeaders,
  mergeHeaders,
  type OutputContext,
  PartSender,
  PermanentError,
  RecordList,
} from "logcollector/plugin";
import { type Outcome, readBulkAnswer } from "./bulk-answer.ts";
import { bulkEnds } from "./bulk-ends.ts";
import { isUpdate } from "./bulk-lines.ts";
import type { BulkConfig } from "./config.ts";
import { bulkEncoder } from "./encode.ts";
import { indexNames } from "./index-name.ts";
import { errorOfOutcomes } from "./settle.ts";

export interface BulkOptions {
  /** Whether a `$` in `index` stands for a field. */
  readonly hasTemplate: boolean;
  /** The value of `Authorization`, when it is not made of `http_user`. */
  readonly authorization?: string | undefined;
}

/** How long an answer may be: what a server says of each record, and a record's text, which errors may quote. */
const ANSWER_BYTES = { base: 65_536, perRecord: 4096, perByte: 8 };
const MAX_TRACED = 4000;

/** An output that sends records to the bulk API of Elasticsearch, of OpenSearch, or of another server that has one. */
export function bulkOutput(
  config: BulkConfig,
  ctx: OutputContext,
  { hasTemplate, authorization }: BulkOptions,
): EncodedOutput {
  check(config);
  const { clock, log } = ctx;
  const client = httpClient(
    { ...config, uri: bulkUri(config), http_method: "POST", log_response_payload: true },
    clock,
  );
  const what = `Cannot post to ${client.target}`;
  const compression = config.compress && compressions[config.compress];
  const headers = mergeHeaders([requestHeaders(config, authorization)], false);
  const trace = tracer(config, ctx, compression);

  const post = async (bytes: Uint8Array, records: number, signal: AbortSignal): Promise<void> => {
    if (config.trace_output) await trace.output(bytes);
    const { base, perRecord, perByte } = ANSWER_BYTES;
    const most = Math.max(config.buffer_size, base + perRecord * records + perByte * bytes.length);
    const response = await client.deliver(bytes, headers, signal, most).catch(withAdvice);
    let outcomes: readonly Outcome[] | undefined;
    try {
      outcomes = readBulkAnswer(response, records);
    } catch (cause) {
      throw new Error(`${what}: ${(cause as Error).message}`, { cause });
    }
    if (outcomes === undefined) return;
    if (config.trace_error) trace.error(outcomes);
    throw await errorOfOutcomes(bytes, outcomes, what, compression);
  };
  const parts = new PartSender({
    clock,
    list: (bytes, records) => new RecordList(bytes, records, bulkEnds, {}),
    compression,
  });
  return {
    format: config.compress === undefined ? "bulk" : `bulk-${config.compress}`,
    encode: bulkEncoder(config, indexNames(config, { clock, log, hasTemplate }), log),
    ...(compression && { seal: (bytes) => compression.pack(bytes) }),
    send: (payload, signal) =>
      parts.send(payload, (bytes, records) => post(bytes, records, signal)),
    close: () => client.close(),
  };
}

function check(config: BulkConfig): void {
  const needsId = isUpdate(config);
  if (needsId && config.id_key === undefined && !config.generate_id) {
    throw new ConfigError(
      `write_operation ${config.write_operation} needs id_key or generate_id`,
      "write_operation",
    );
  }
  // A request is one line of text first: a space or line break would end the path there.
  // deno-lint-ignore no-control-regex
  if (/[\0-\x20\x7f?#]/.test(config.path)) {
    throw new ConfigError("path must not hold spaces, control characters, ? or #", "path");
  }
}

function bulkUri({ path, pipeline }: BulkConfig): string {
  const bulk = `${path.replace(/\/$/, "")}/_bulk`;
  return pipeline === undefined ? bulk : `${bulk}?pipeline=${encodeURIComponent(pipeline)}`;
}

function requestHeaders(config: BulkConfig, authorization: string | undefined): HttpHeaders {
  const headers: (readonly [string, string])[] = [
    ["Content-Type", "application/x-ndjson"],
    // A packed answer would have to be unpacked, which is work, and an invitation to bombs.
    ["Accept-Encoding", "identity"],
    ["User-Agent", "Fluent-Bit"],
  ];
  if (config.compress !== undefined) headers.push(["Content-Encoding", config.compress]);
  const value = config.http_user === undefined
    ? authorization
    : basicAuthorization(`${config.http_user}:${config.http_passwd}`);
  if (value !== undefined) headers.push(["Authorization", value]);
  return headers;
}

/** Servers without types refuse all that has one, which their words do not say how to mend. */
function withAdvice(error: Error): never {
  if (!(error instanceof PermanentError) || !error.message.includes("[_type]")) throw error;
  throw new PermanentError(`${error.message}: set suppress_type_name to on`, { cause: error });
}

function tracer(
  { path }: BulkConfig,
  { log }: OutputContext,
  compression: Compression | undefined,
) {
  const cut = (text: string) => text.length > MAX_TRACED ? `${text.slice(0, MAX_TRACED)}…` : text;
  return {
    async output(bytes: Uint8Array): Promise<void> {
      const plain = await compression?.unpack(bytes) ?? bytes;
      log.info(`Sends to ${path}/_bulk: ${cut(Buffer.from(plain).toString("utf8"))}`);
    },
    error(outcomes: readonly Outcome[]): void {
      const failed = outcomes.filter(({ what }) => what !== "taken");
      const text = failed.map(({ kind, words }) => `${kind}: ${words}`).join("; ");
      log.error(`Server's words on ${failed.length} records: ${cut(text)}`);
    },
  };
}
