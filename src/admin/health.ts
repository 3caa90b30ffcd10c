import type { MetricsRegistry } from "../telemetry/metrics.ts";

/** What the health check looks at of an output. */
export interface WatchedOutput {
  readonly id: string;
  /** For how long something has waited while nothing was delivered, in milliseconds. */
  readonly stalledMs: number;
}

export interface HealthLimits {
  /** Without it only a stuck event loop counts, and that answers nothing at all. */
  readonly enabled: boolean;
  readonly errors: number;
  readonly retriesFailed: number;
  readonly periodMs: number;
}

/** What it looks at may change from one look to the next. */
export interface HealthOptions {
  readonly outputs: readonly WatchedOutput[];
  readonly health: HealthLimits;
  readonly metrics: MetricsRegistry;
  readonly nowMs: () => number;
}

export interface HealthReport {
  readonly status: "ok" | "error";
  /** Failed attempts within the period. */
  readonly errors: number;
  /** Payloads given up within the period. */
  readonly retries_failed: number;
  /** More errors than this are not healthy. */
  readonly error_limit: number;
  /** More given-up payloads than this are not healthy. */
  readonly retry_failure_limit: number;
  /** The period in seconds. */
  readonly period_limit: number;
  /** Outputs that have something to deliver and have delivered nothing for the whole period. */
  readonly stalled: readonly string[];
}

interface Totals {
  readonly atMs: number;
  readonly errors: number;
  readonly retriesFailed: number;
}

const SAMPLES_PER_PERIOD = 12;

/**
 * Health is progress: an output that has something to deliver and has not delivered for a period is not
 * healthy, whatever the process says. Counted errors are compared with what they were a period ago.
 */
export class Health {
  private readonly options: HealthOptions;
  private timer!: ReturnType<typeof setTimeout>;
  private history: Totals[];

  constructor(options: HealthOptions) {
    this.options = options;
    this.history = [this.totals()];
    this.sampleLater();
  }

  report(): HealthReport {
    const { health, outputs } = this.options;
    this.forget();
    const before = this.history[0]!;
    const now = this.totals();
    const errors = now.errors - before.errors;
    const retriesFailed = now.retriesFailed - before.retriesFailed;
    const stalled = outputs.filter((output) => output.stalledMs >= health.periodMs)
      .map((output) => output.id);
    const failing = errors > health.errors || retriesFailed > health.retriesFailed;
    const bad = stalled.length > 0 || failing;
    return {
      status: health.enabled && bad ? "error" : "ok",
      errors,
      retries_failed: retriesFailed,
      error_limit: health.errors,
      retry_failure_limit: health.retriesFailed,
      period_limit: health.periodMs / 1000,
      stalled,
    };
  }

  close(): void {
    clearTimeout(this.timer);
  }

  /** Remembers the counters as they are now. The timer does it several times a period. */
  sample(): void {
    this.forget();
    this.history.push(this.totals());
  }

  /** The period may be another each time. */
  private sampleLater(): void {
    const ms = Math.max(250, this.options.health.periodMs / SAMPLES_PER_PERIOD);
    this.timer = setTimeout(() => {
      this.sample();
      this.sampleLater();
    }, ms);
    this.timer.unref();
  }

  /** Keeps one entry that is a period old, and the younger ones. */
  private forget(): void {
    const limitMs = this.options.nowMs() - this.options.health.periodMs;
    while (this.history.length > 1 && this.history[1]!.atMs <= limitMs) this.history.shift();
  }

  private totals(): Totals {
    const sum = (family: string) =>
      this.options.metrics.samples(family).reduce((total, { value }) => total + value, 0);
    return {
      atMs: this.options.nowMs(),
      errors: sum("output_errors_total"),
      retriesFailed: sum("output_retries_failed_total"),
    };
  }
}
