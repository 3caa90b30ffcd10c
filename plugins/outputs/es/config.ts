import {
  compileTemplate,
  field,
  hostFields,
  httpTimeFields,
  netFields,
  refusedFields,
  tlsFields,
} from "logcollector/plugin";
import * as z from "zod";

export const DEFAULT_INDEX = "fluent-bit";

const nameFields = {
  type: field.text().default("_doc")
    .describe("Type of the documents, for servers that still know types."),
  suppress_type_name: field.bool().default(false).describe(
    "Leaves the type out: Elasticsearch from version 8 and OpenSearch from version 2 refuse it.",
  ),
  logstash_format: field.bool().default(false)
    .describe("Makes the index's name of a prefix and the record's date, as Logstash does."),
  logstash_prefix: field.text().default("logstash")
    .describe("First part of the index's name with logstash_format."),
  logstash_prefix_separator: field.text().default("-")
    .describe("What stands between the prefix and the date."),
  logstash_prefix_key: field.custom(
    "template",
    (text) => compileTemplate(text.startsWith("$") ? text : `$${text}`),
  ).optional().describe(
    "Field whose text is the prefix; where it cannot be one, logstash_prefix is taken.",
  ),
  logstash_dateformat: field.text().default("%Y.%m.%d")
    .describe("How the date is written in the index's name, in UTC."),
  current_time_index: field.bool().default(false)
    .describe("Takes the present time for the index's name in place of the record's."),
};

const documentFields = {
  time_key: field.text().default("@timestamp").describe("Field that gets the record's time."),
  time_key_format: field.text().default("%Y-%m-%dT%H:%M:%S").describe(
    "How the time is written, in UTC; the fraction of the second and a Z follow.",
  ),
  time_key_nanos: field.bool().default(false)
    .describe("Writes nine digits of the second's fraction in place of three."),
  include_tag_key: field.bool().default(false).describe("Adds the tag to each record."),
  tag_key: field.text().default("flb-key").describe("Field that gets the tag."),
  replace_dots: field.bool().default(false)
    .describe("Writes underscores for dots in the names of fields."),
  write_operation: field.oneOf("create", "index", "update", "upsert").default("create").describe(
    "What to do with a document; create leaves one alone that is there. update and upsert need an id.",
  ),
  generate_id: field.bool().default(false).describe(
    "Makes each document's id of its contents and time, so that what is sent twice is there once.",
  ),
  id_key: field.accessor().optional()
    .describe("Field whose text is the document's id; takes precedence over generate_id."),
};

const requestFields = {
  path: field.text().default("").describe("What stands in front of /_bulk in the path."),
  pipeline: field.text().optional().describe("Ingest pipeline that the documents go through."),
  http_user: field.text().optional().describe("User for basic authentication."),
  http_passwd: field.text().default("").describe("Password for basic authentication."),
  compress: field.oneOf("gzip").optional().describe("Compression of the request's body."),
  buffer_size: field.custom<number>("size | false", sizeOrFalse).default(512_000).describe(
    "Size up to which an answer is read at least; for many records it is more. false asks for nothing.",
  ),
  trace_output: field.bool().default(false)
    .describe("Logs what is sent, for a search for mistakes."),
  trace_error: field.bool().default(false)
    .describe("Logs the server's words on each record that it did not take."),
  ...httpTimeFields,
  ...tlsFields,
  ...netFields,
};

const AWS = [
  "aws_auth",
  "aws_region",
  "aws_sts_endpoint",
  "aws_role_arn",
  "aws_external_id",
  "aws_service_name",
  "aws_profile",
] as const;

const serverFields = hostFields("127.0.0.1", 9200);

/** The options that both outputs have. */
const commonFields = { ...nameFields, ...documentFields, ...requestFields };

export const esFields = {
  ...serverFields,
  cloud_id: field.text().optional()
    .describe("Id of an Elastic Cloud deployment, in place of host and port; turns TLS on."),
  cloud_auth: field.text().optional()
    .describe("User and password for Elastic Cloud, as user:password."),
  http_api_key: field.text().optional().describe("API key in Base64, in place of a user."),
  index: field.text().default(DEFAULT_INDEX).describe(
    "Name of the index; strftime's conversions in it give the present time in UTC.",
  ),
  ...commonFields,
  ...refusedFields("upstream", ...AWS),
};

export const opensearchFields = {
  ...serverFields,
  index: field.text().default(DEFAULT_INDEX).describe(
    "Name of the index. With parts from the record or its tag, such as $service or $TAG; else with strftime's " +
      "conversions for the present time in UTC.",
  ),
  ...commonFields,
  ...refusedFields(...AWS),
};

export type BulkConfig = z.output<z.ZodObject<typeof serverFields & typeof commonFields>> & {
  readonly index: string;
};

function sizeOrFalse(text: string): number {
  if (/^(false|off|no)$/i.test(text)) return 0;
  return field.size().parse(text);
}
