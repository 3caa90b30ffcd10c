import {
  field,
  hostFields,
  httpTimeFields,
  jsonDateFields,
  netFields,
  refusedFields,
  tlsFields,
} from "logcollector/plugin";
import * as z from "zod";

/** The options of the http output. */
export const httpFields = {
  ...hostFields("127.0.0.1", 80),
  uri: field.text().default("/").describe("Path of the request, with its query if it has one."),
  http_method: field.oneOf("POST", "PUT").default("POST").describe("Method of the request."),
  format: field.oneOf("json", "json_lines", "json_stream", "gelf", "msgpack").default("json")
    .describe("Format of the request's body; json is one array."),
  ...jsonDateFields,
  header: field.repeated(field.custom("NAME VALUE", splitHeader)).default([])
    .describe("Header to send with each request: its name, a space and its value."),
  header_tag: field.text().optional().describe("Header that carries the records' tag."),
  allow_duplicated_headers: field.bool().default(true)
    .describe("Sends a header as often as it is given; otherwise the last one wins."),
  body_key: field.accessor().optional().describe(
    "Field that is a request's whole body: one request for each record. Needs headers_key.",
  ),
  headers_key: field.accessor().optional()
    .describe("Field, a map of texts, that is sent as headers. Needs body_key."),
  compress: field.custom<"gzip" | "zstd">("gzip | zstd", (text) => {
    const name = text.toLowerCase();
    if (name === "gzip" || name === "zstd") return name;
    if (name === "snappy") throw new RangeError("snappy is not supported in this version");
    throw new RangeError(`expected gzip or zstd, got ${JSON.stringify(text)}`);
  }).optional().describe("Compression of the request's body."),
  http_user: field.text().optional().describe("User for basic authentication."),
  http_passwd: field.text().default("").describe("Password for basic authentication."),
  proxy: field.text().optional()
    .describe("HTTP proxy, as http://host:port; takes precedence over the environment's."),
  log_response_payload: field.bool().default(true)
    .describe("Shows the beginning of the server's answer in messages."),
  ...httpTimeFields,
  gelf_short_message_key: field.text().default("short_message")
    .describe("Field that is the GELF short_message; a record without it is dropped."),
  gelf_full_message_key: field.text().default("full_message")
    .describe("Field that is the GELF full_message."),
  gelf_timestamp_key: field.text().default("timestamp")
    .describe("Field that is the GELF timestamp, in place of the record's time."),
  gelf_host_key: field.text().default("host").describe("Field that is the GELF host."),
  gelf_level_key: field.text().default("level").describe("Field that is the GELF level."),
  ...tlsFields,
  ...netFields,
  ...refusedFields(
    "tls.proxy.verify",
    "tls.proxy.verify_hostname",
    "tls.proxy.ca_file",
    "tls.proxy.ca_path",
    "oauth2.enable",
    "oauth2.token_url",
    "oauth2.client_id",
    "oauth2.client_secret",
    "oauth2.user_agent",
    "oauth2.scope",
    "oauth2.audience",
    "oauth2.resource",
    "oauth2.auth_method",
    "oauth2.jwt_key_file",
    "oauth2.jwt_cert_file",
    "oauth2.jwt_aud",
    "oauth2.jwt_header",
    "oauth2.jwt_ttl_seconds",
    "oauth2.refresh_skew_seconds",
    "oauth2.timeout",
    "oauth2.connect_timeout",
    "aws_auth",
    "aws_service",
    "aws_region",
    "aws_profile",
    "aws_role_arn",
    "aws_external_id",
    "aws_sts_endpoint",
  ),
};

/** The value is taken as it is, quotes and all, as Fluent Bit takes it. */
function splitHeader(text: string): readonly [name: string, value: string] {
  const [, name, value] = /^\s*(\S+)\s+(.*)$/s.exec(text) ?? [];
  if (name === undefined || value === undefined) {
    throw new RangeError('expected "NAME VALUE", such as "X-Source edge-1"');
  }
  return [name, value.trim()];
}

export type HttpConfig = z.output<z.ZodObject<typeof httpFields>>;
