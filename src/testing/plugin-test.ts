import type { Clock, LineJoinerFactory, LineParser, PluginContext } from "../sdk/context.ts";
import type { MaybePromise, Parser, PluginDefinition } from "../sdk/define.ts";
import { ConfigError } from "../sdk/errors.ts";
import { CapturedLog } from "./captured-log.ts";
import { CapturedMetrics } from "./captured-metrics.ts";
import { inTime } from "./deadline.ts";
import { FakeClock } from "./fake-clock.ts";

/** Settings that the tests of every kind of plugin share. */
export interface TestSettings {
  /** The plugin's name in messages; `NAME.0` by default. */
  readonly id?: string;
  /** What the plugin gets as its clock instead of the {@link FakeClock}, such as {@link systemClock}. */
  readonly clock?: Clock;
  /** Parsers that the plugin may ask for, by name; what {@link testParser} returns is one. */
  readonly parsers?: Readonly<Record<string, Parser>>;
  /** What `ctx.multiline` gives for any names. */
  readonly multiline?: LineJoinerFactory;
  /** How long `close` and the like may take, in milliseconds of real time; 5000 by default. */
  readonly deadlineMs?: number;
}

/** What the tests of every kind of plugin have in common. */
export interface PluginTest extends AsyncDisposable {
  /** The plugin's time: `await advance("5s")` moves it. */
  readonly clock: FakeClock;
  /** What the plugin said. */
  readonly log: CapturedLog;
  /** What the plugin counted. */
  readonly metrics: CapturedMetrics;
  /** Closes the plugin, as the collector does at its end. `await using` does it at the end of the test. */
  close(): Promise<void>;
}

/** The context that every kind of plugin gets, and what it writes to. */
export interface Bench extends Pick<PluginTest, "clock" | "log" | "metrics"> {
  readonly context: PluginContext;
}

/** Makes the part of the context that all kinds share. Its functions work without their object, as the real ones. */
export function makeBench(
  definition: Pick<PluginDefinition, "name">,
  settings: TestSettings,
): Bench {
  const clock = new FakeClock();
  const log = new CapturedLog();
  const metrics = new CapturedMetrics();
  const context: PluginContext = {
    id: settings.id ?? `${definition.name}.0`,
    log,
    metrics,
    clock: settings.clock ?? clock,
    parser: (name) => lineParser(name, settings.parsers ?? {}),
    multiline([name]) {
      if (settings.multiline !== undefined) return settings.multiline;
      throw new ConfigError(`unknown multiline parser "${name}"`);
    },
  };
  return { context, clock, log, metrics };
}

function lineParser(name: string, parsers: Readonly<Record<string, Parser>>): LineParser {
  const parser = Object.hasOwn(parsers, name) ? parsers[name] : undefined;
  if (parser === undefined) throw new ConfigError(`unknown parser "${name}"`);
  return {
    name,
    parse(line, sec, nsec) {
      const body = parser.parse(line);
      return body === null ? null : { sec, nsec, body };
    },
  };
}

/** Calls a plugin's `close`; rejects when that throws, or does not come to an end. */
export async function closePlugin(
  plugin: { close?(): MaybePromise<void> },
  id: string,
  deadlineMs: number | undefined,
): Promise<void> {
  await inTime(plugin.close?.(), `${id}: close() returns`, deadlineMs);
}
