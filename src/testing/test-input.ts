import type { Input, InputDefinition } from "../sdk/define.ts";
import type { Body, LogRecord } from "../sdk/record.ts";
import { DEADLINE_MS, inTime, until } from "./deadline.ts";
import { type EmitSettings, type EmittedBatch, EmittedBatches } from "./emitted.ts";
import { FakeCheckpoints } from "./fake-checkpoints.ts";
import { turn } from "./fake-clock.ts";
import { type Options, readOptions } from "./options.ts";
import {
  type Bench,
  closePlugin,
  makeBench,
  type PluginTest,
  type TestSettings,
} from "./plugin-test.ts";
import { TAG } from "./records.ts";

/** An input under test: it runs from the start. */
export interface InputTest extends PluginTest {
  /** What `create` returned. */
  readonly input: Input;
  /** The batches that the input emitted. */
  readonly emitted: readonly EmittedBatch[];
  /** All records that it emitted. */
  readonly records: readonly LogRecord[];
  /** Their bodies. */
  readonly bodies: readonly Body[];
  /** Tells the input that everything it emitted is safe: for `acks: "manual"`. */
  ackAll(): void;
  /** Waits until the input emitted so many records in all; rejects after 5 s of real time, or `deadlineMs`. */
  untilRecords(count: number, deadlineMs?: number): Promise<readonly Body[]>;
  /** Waits until `run` returns by itself; rejects with what it throws. */
  untilReturned(deadlineMs?: number): Promise<void>;
  /** Aborts the input's signal, waits until `run` returns, and closes. `await using` does it too. */
  stop(): Promise<void>;
  /** True once `run` has returned or thrown. */
  readonly returned: boolean;
  /** The input said that the collector should stop when it is done. */
  readonly stopsWhenDone: boolean;
  /** The status with which the input asked for a stop, if it did. */
  readonly exitStatus: number | undefined;
}

export interface InputSettings extends TestSettings, EmitSettings {
  /** The configured tag, `test` by default. */
  readonly tag?: string;
  /**
   * The input's positions by stream: what it finds when it runs, and what its acks leave here. Give the same map to
   * the next input to test a restart.
   */
  readonly checkpoints?: Map<string, string>;
}

/**
 * Makes an input from options as a configuration gives them, and runs it. Throws ConfigError for options that the
 * collector would refuse.
 *
 * ```ts
 * await using input = testInput(poll, { url: server.url, interval: "10s" });
 * await input.untilRecords(2);
 * await input.clock.advance("10s");
 * await input.untilRecords(3);
 * ```
 */
export function testInput(
  definition: InputDefinition,
  options: Options = {},
  settings: InputSettings = {},
): InputTest {
  const prepared = prepareInput(definition, options, settings);
  const { input, bench, emissions, state, close } = prepared;
  const { id } = bench.context;
  const stopping = new AbortController();
  const running = prepared.run(stopping.signal);
  // Whoever waits for the end hears of a throw; nobody else needs to.
  running.catch(() => undefined);
  const said = () => `; its log: ${bench.log.messages.join(" | ").slice(0, 2000) || "empty"}`;
  const stop = async () => {
    stopping.abort();
    const ended = running.catch(() => undefined);
    const what = `${id}: run() returns after its signal was aborted${said()}`;
    await inTime(ended, what, settings.deadlineMs);
    await close();
  };
  return {
    clock: bench.clock,
    log: bench.log,
    metrics: bench.metrics,
    input,
    emitted: emissions.batches,
    get records() {
      return emissions.records;
    },
    get bodies() {
      return emissions.records.map(({ body }) => body);
    },
    ackAll: () => emissions.ackAll(),
    async untilRecords(count, deadlineMs = DEADLINE_MS) {
      const there = () => emissions.records.length;
      await until(
        () => there() >= count,
        () => `${id}: ${count} records; there are ${there()}${said()}`,
        deadlineMs,
      );
      return this.bodies;
    },
    untilReturned: (deadlineMs) => inTime(running, `${id}: run() returns${said()}`, deadlineMs),
    stop,
    close,
    get returned() {
      return state.returned;
    },
    get stopsWhenDone() {
      return state.stopsWhenDone;
    },
    get exitStatus() {
      return state.exitStatus;
    },
    [Symbol.asyncDispose]: stop,
  };
}

/** What an input asked the collector for. */
interface InputState {
  stopsWhenDone: boolean;
  returned: boolean;
  exitStatus: number | undefined;
}

/** An input that was made and does not run yet. */
export interface PreparedInput {
  readonly input: Input;
  readonly bench: Bench;
  readonly emissions: EmittedBatches;
  readonly state: Readonly<InputState>;
  run(signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

/** For the kit itself: makes an input without running it. */
export function prepareInput(
  definition: InputDefinition,
  options: Options,
  settings: InputSettings,
): PreparedInput {
  const bench = makeBench(definition, settings);
  const checkpoints = new FakeCheckpoints(settings.checkpoints ?? new Map());
  const emissions = new EmittedBatches(settings, (stream, at) => checkpoints.save(stream, at));
  const state: InputState = { stopsWhenDone: false, returned: false, exitStatus: undefined };
  const input = definition.create(readOptions(definition, options), {
    ...bench.context,
    tag: settings.tag ?? TAG,
    emit: (batch, ack) => emissions.emit(batch, ack),
    checkpoints(wanted = {}) {
      checkpoints.options = wanted;
      return checkpoints;
    },
    breathe: turn,
    stopWhenDone: () => void (state.stopsWhenDone = true),
    exitCode: (status) => void (state.exitStatus = status),
  });
  return {
    input,
    bench,
    emissions,
    state,
    async run(signal) {
      try {
        await input.run(signal);
      } finally {
        state.returned = true;
      }
    },
    close: () => closePlugin(input, bench.context.id, settings.deadlineMs),
  };
}
