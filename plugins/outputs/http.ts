import {
  basicAuthorization,
  compressions,
  ConfigError,
  defineOutput,
  httpClient,
  type HttpHeaders,
  isHeaderName,
  mergeHeaders,
  PartSender,
  RecordList,
} from "logcollector/plugin";
import * as z from "zod";
import { type HttpConfig, httpFields } from "./http/config.ts";
import { endsOf } from "./http/ends.ts";
import { bodyFormat } from "./http/format.ts";
import { payloadForm } from "./http/payload-form.ts";
import { requestPerRecord } from "./http/request-per-record.ts";

export default defineOutput({
  name: "http",
  summary: "Sends records to an HTTP server, many in one request.",
  config: z.object(httpFields),
  create(config, ctx) {
    const configured = configuredHeaders(config);
    const client = httpClient(config, ctx.clock);
    const compression = config.compress && compressions[config.compress];
    const post = async (
      bytes: Uint8Array,
      headers: readonly HttpHeaders[],
      signal: AbortSignal,
    ): Promise<void> => {
      const merged = mergeHeaders([...headers, configured], config.allow_duplicated_headers);
      await client.deliver(bytes, merged, signal);
    };
    const tagHeader = (tag: string): HttpHeaders =>
      config.header_tag === undefined ? [] : [[config.header_tag, tag]];

    if (config.body_key !== undefined && config.headers_key !== undefined) {
      const keys = { body: config.body_key, headers: config.headers_key };
      return {
        format: payloadForm(config),
        ...requestPerRecord(keys, ctx.log, async (body, headers, tag, signal) => {
          const bytes = await compression?.pack(body) ?? body;
          await post(bytes, [headers, tagHeader(tag)], signal);
        }),
        close: () => client.close(),
      };
    }
    const format = bodyFormat(config, ctx.log);
    const contentType: HttpHeaders = [["Content-Type", format.contentType]];
    const parts = new PartSender({
      clock: ctx.clock,
      list: (bytes, records) =>
        new RecordList(bytes, records, endsOf[config.format], format.framing),
      compression,
    });
    return {
      format: payloadForm(config),
      framing: format.framing,
      encode(batch, into) {
        if (config.header_tag !== undefined) into.partition(batch.tag);
        format.encode(batch, into);
      },
      ...(compression && { seal: (bytes) => compression.pack(bytes) }),
      send(payload, signal) {
        const headers = [contentType, tagHeader(payload.partition)];
        return parts.send(payload, (bytes) => post(bytes, headers, signal));
      },
      close: () => client.close(),
    };
  },
});

/** Checked once, so that a mistake shows before anything is sent. */
function configuredHeaders(config: HttpConfig): HttpHeaders {
  if ((config.body_key === undefined) !== (config.headers_key === undefined)) {
    throw new ConfigError("body_key and headers_key need each other", "body_key");
  }
  // A request is one line of text first: a space or line break would end the path there.
  // deno-lint-ignore no-control-regex
  if (/[\0-\x20\x7f]/.test(config.uri)) {
    throw new ConfigError("uri must not hold spaces or control characters", "uri");
  }
  const names = [...config.header.map(([name]) => name), config.header_tag ?? "x"];
  for (const name of names) {
    if (!isHeaderName(name)) {
      throw new ConfigError(`cannot send a header called ${JSON.stringify(name)}`, "header");
    }
  }
  const headers: (readonly [string, string])[] = [];
  if (config.compress !== undefined) headers.push(["Content-Encoding", config.compress]);
  if (config.http_user !== undefined) {
    headers.push([
      "Authorization",
      basicAuthorization(`${config.http_user}:${config.http_passwd}`),
    ]);
  }
  return [...headers, ["User-Agent", "Fluent-Bit"], ...config.header];
}
