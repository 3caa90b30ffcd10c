import type {
  Batch,
  Clock,
  FilterContext,
  InputContext,
  Logger,
  LogRecord,
  OutputContext,
  PluginMetrics,
} from "logcollector/plugin";
import { ConfigError } from "logcollector/plugin";
import { FakeCheckpoints } from "../../src/testing/fake-checkpoints.ts";

/** A context that remembers what the plugin said and did, for tests of one plugin alone. */
export interface TestContext extends FilterContext, Omit<InputContext, "emit">, OutputContext {
  readonly logged: { level: string; message: string }[];
  readonly emitted: Batch[];
  readonly rejected: LogRecord[];
  readonly counters: Map<string, { value: number }>;
  readonly clock: ManualClock;
  /** Number of batches held and not yet released. */
  held: number;
  stopped: number | undefined;
}

/** Time that moves only when a test says so. */
export class ManualClock implements Clock {
  private ms = 0;
  private timers: { at: number; call: () => void }[] = [];
  wallSec = 1_700_000_000;
  wallNsec = 0;

  nowMs(): number {
    return this.ms;
  }
  wall(): { sec: number; nsec: number } {
    return { sec: this.wallSec, nsec: this.wallNsec };
  }
  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.after(ms, resolve);
      signal?.addEventListener("abort", () => {
        cancel();
        resolve();
      }, { once: true });
      if (signal?.aborted) resolve();
    });
  }
  after(ms: number, call: () => void): () => void {
    const timer = { at: this.ms + ms, call };
    this.timers.push(timer);
    return () => {
      this.timers = this.timers.filter((other) => other !== timer);
    };
  }
  /** Moves both clocks on and calls what became due, in order. */
  advance(ms: number): void {
    const end = this.ms + ms;
    for (;;) {
      const due = this.timers.filter((timer) => timer.at <= end).sort((a, b) => a.at - b.at)[0];
      if (due === undefined) break;
      this.timers = this.timers.filter((other) => other !== due);
      this.ms = due.at;
      due.call();
    }
    this.ms = end;
    this.wallSec += Math.floor(ms / 1000);
  }
}

export function testContext(overrides: Partial<TestContext> = {}): TestContext {
  const logged: { level: string; message: string }[] = [];
  const say = (level: string) => (message: string) => void logged.push({ level, message });
  const log: Logger = {
    error: say("error"),
    warn: say("warn"),
    info: say("info"),
    debug: say("debug"),
  };
  const counters = new Map<string, { value: number }>();
  const counter: PluginMetrics["counter"] = (name, _help, labels = {}) => {
    const key = [name, ...Object.entries(labels).map(([k, v]) => `${k}=${v}`)].join(" ");
    const found = counters.get(key) ?? { value: 0 };
    counters.set(key, found);
    return found;
  };
  const context: TestContext = {
    id: "test.0",
    tag: "test",
    match: "*",
    log,
    logged,
    counters,
    metrics: { counter, gauge: counter, remove() {} },
    clock: new ManualClock(),
    emitted: [],
    rejected: [],
    held: 0,
    stopped: undefined,
    emit(batch) {
      context.emitted.push(batch);
      return undefined;
    },
    hold() {
      context.held++;
      return () => void context.held--;
    },
    reject(record) {
      context.rejected.push(record);
      return null;
    },
    stop(status) {
      context.stopped = status;
    },
    checkpoints: () => new FakeCheckpoints(new Map()),
    breathe: () => undefined,
    stopWhenDone() {},
    exitCode() {},
    parser(name) {
      throw new ConfigError(`unknown parser "${name}"`);
    },
    multiline(names) {
      throw new ConfigError(`unknown multiline parser "${names[0]}"`);
    },
    ...overrides,
  };
  return context;
}
