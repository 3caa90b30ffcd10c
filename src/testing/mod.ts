/**
 * `logcollector/testing`: runs one plugin alone, with a clock that the test moves, and everything that the plugin
 * says, counts and hands over kept. For tests run by `logcollector plugin test`, or by Bun.
 *
 * ```ts
 * import { expect, test } from "bun:test";
 * import { conformance, testFilter } from "logcollector/testing";
 * import mask from "./mask.ts";
 *
 * test("mask hides e-mail addresses", async () => {
 *   await using filter = testFilter(mask, { fields: "email" });
 *   expect(await filter.feed([{ email: "a@b.c" }])).toEqual([{ email: "***" }]);
 * });
 *
 * for (const { name, run } of conformance(mask)) test(name, run);
 * ```
 *
 * @module
 */
export { CapturedLog, type LoggedMessage } from "./captured-log.ts";
export { type CapturedMetric, CapturedMetrics } from "./captured-metrics.ts";
export { conformance, type ConformanceCheck, type ConformanceOptions } from "./conformance/mod.ts";
export type { DeliverOptions, Delivery } from "./deliver.ts";
export type { EmitSettings, EmittedBatch } from "./emitted.ts";
export { FakeClock } from "./fake-clock.ts";
export {
  blocking,
  failing,
  type Fault,
  type FaultCall,
  slow,
  throwing,
  type Valve,
} from "./fault.ts";
export { HttpSink, type SinkAnswer, type SinkFault, type SinkRequest } from "./http-sink.ts";
export { type Options, readOptions } from "./options.ts";
export type { Drop } from "./payload-builder.ts";
export type { PluginTest, TestSettings } from "./plugin-test.ts";
export { batchOf, batchOfLines, bodiesOf, type FeedOptions } from "./records.ts";
export { systemClock } from "../lib/clock.ts";
export {
  type FilterSettings,
  type FilterTest,
  type RejectedRecord,
  testFilter,
} from "./test-filter.ts";
export { type InputSettings, type InputTest, testInput } from "./test-input.ts";
export { type OutputSettings, type OutputTest, testOutput } from "./test-output.ts";
export { type ParserTest, testParser } from "./test-parser.ts";
