/**
 * `logcollector/plugin`: everything a plugin needs, and all that it may import of the collector. The
 * builtin plugins are written against this module alone.
 *
 * @module
 */
export { Batch, type BatchOrigin } from "./batch.ts";
export type {
  Ack,
  Checkpoint,
  CheckpointOptions,
  CheckpointStore,
  ForeignDatabase,
} from "./checkpoint.ts";
export type {
  Clock,
  Counter,
  FilterContext,
  Gauge,
  InputContext,
  LineBlock,
  LineJoiner,
  LineJoinerFactory,
  LineJoinerOptions,
  LineParser,
  LogFields,
  Logger,
  OutputContext,
  PluginContext,
  PluginMetrics,
} from "./context.ts";
export type { Shard, StreamClaim } from "./shard.ts";
export {
  API_VERSION,
  defineFilter,
  defineInput,
  defineOutput,
  defineParser,
  type EncodedOutput,
  type Filter,
  type FilterDefinition,
  type Input,
  type InputDefinition,
  type MaybePromise,
  type Output,
  type OutputDefinition,
  type Parser,
  type ParserContext,
  type ParserDefinition,
  type PluginDefinition,
} from "./define.ts";
export {
  ConfigError,
  PartialError,
  type PartialErrorOptions,
  PermanentError,
  type RefusedPart,
  ThrottledError,
} from "./errors.ts";
export {
  addText,
  copyField,
  type Edit,
  moveToEnd,
  moveToStart,
  removeField,
  removeFields,
  removePrefixed,
  renameField,
  setText,
  type TransferOptions,
} from "./edits.ts";
export * as field from "./fields.ts";
export type { FieldMeta } from "./fields.ts";
export type { Framing, Payload, PayloadWriter } from "./payload.ts";
export {
  jsonDateFields,
  type JsonEncoder,
  jsonEncoder,
  type JsonEncoderOptions,
  type JsonFormat,
} from "./json-encoder.ts";
export {
  hostFields,
  type NetConfig,
  netFields,
  refusedFields,
  type TlsConfig,
  tlsFields,
} from "./net-fields.ts";
export { basicAuthorization } from "./http/basic-authorization.ts";
export type { HttpClient } from "./http/client.ts";
export { type HttpClientConfig, httpTimeFields } from "./http/client-config.ts";
export { httpClient } from "./http/http-client.ts";
export { type Compression, compressions } from "./http/compression.ts";
export {
  type HttpHeaders,
  type HttpRequestHeaders,
  isHeaderName,
  mergeHeaders,
} from "./http/headers.ts";
export { PartSender, type PartSenderOptions } from "./http/part-sender.ts";
export type { Post } from "./http/payload-parts.ts";
export { type FindEnds, RecordList } from "./http/record-list.ts";
export { type HttpResponse, TooLargeError } from "./http/response.ts";
export { type KubeApiConfig, kubeApiFields } from "./kubernetes/api-options.ts";
export type { KubeClient } from "./kubernetes/kube-client.ts";
export { KubeError } from "./kubernetes/kube-error.ts";
export { kubeClient, listItems, listWatch } from "./kubernetes/lazy.ts";
export type {
  KubeObject,
  ListWatch,
  ListWatchHandler,
  WatchedList,
} from "./kubernetes/list-watch.ts";
export { type JsonLines, SPAN } from "./json-lines.ts";
export { JsonTail } from "./json-tail.ts";
export type { JsonHead, JsonLinesWriterOptions } from "./json-head.ts";
export { jsonLinesWriter } from "./json-lines-writer.ts";
export { type LinesFrame, quotedLinesWriter } from "./quoted-lines-writer.ts";
export type { RawLines, RawSource } from "./raw-lines.ts";
export {
  type MsgpackEncoder,
  msgpackEncoder,
  type MsgpackEncoderOptions,
} from "./msgpack-encoder.ts";
export { tlsOptions } from "./tls-options.ts";
export { countLines } from "./count-lines.ts";
export { type FieldSelection, keepsAnyField, selectFields } from "./field-selection.ts";
export { keepRecords, someRecord } from "./keep-records.ts";
export { type FieldChoice, liftFields, nestFields, type NestNames } from "./nesting.ts";
export { type RecordEditor, recordEditor } from "./record-editor.ts";
export {
  allOf,
  anyOf,
  fieldEquals,
  fieldExists,
  fieldMatches,
  not,
  type RecordTest,
} from "./record-test.ts";
export { optionOrder, type WrittenOption } from "./option-order.ts";
export { type OptionPlace, optionPlace } from "./option-place.ts";
export { perRecord } from "./per-record.ts";
export {
  type Body,
  cloneValue,
  type FieldValue,
  isBody,
  type LogRecord,
  setField,
} from "./record.ts";
export { backoffMs } from "../lib/backoff.ts";
export { messageWithPlace, noteUserFolder } from "../lib/error-place.ts";
export { escapeControls } from "../lib/escape-controls.ts";
export { parseJsonObject } from "../lib/json-object.ts";
export { stringifyJson, stringifyJsonLines } from "../lib/json-text.ts";
export { encodeMsgpackEvents, encodeMsgpackMap } from "../lib/msgpack-event.ts";
export { MsgpackReader } from "../lib/msgpack-reader.ts";
export { formatRecordText, formatValueText } from "../lib/msgpack-text.ts";
export { MsgpackWriter } from "../lib/msgpack-writer.ts";
export { failureReason } from "../lib/failure-reason.ts";
export { compilePattern, type Pattern } from "../lib/pattern.ts";
export { lineFrame, quoteLines } from "../lib/quoted-lines.ts";
export { type Accessor, compileAccessor, compileFieldName } from "../lib/record-accessor.ts";
export { strftimeUtc } from "../lib/strftime.ts";
export { type Captures, compileTemplate, type Template } from "../lib/template.ts";
export { unescapeUtf8 } from "../lib/unescape.ts";
export { LineSplitter } from "../lib/line-splitter.ts";
