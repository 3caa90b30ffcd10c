import { systemClock } from "../../lib/clock.ts";
import type { Counter, Gauge, Logger, PluginMetrics } from "../../sdk/context.ts";
import { HostFailure } from "./host-failure.ts";
import type { Assignment, GuestEvent, Request, ResultOf } from "./messages.ts";
import { WorkerThread } from "./worker-thread.ts";

/** How a plugin is isolated. */
export interface IsolationOptions {
  /** The plugin's file, absolute. */
  readonly path: string;
  /** How long a call may take, in milliseconds; asked at every start. */
  readonly timeoutMs: () => number;
  /** Default 256 MiB. */
  readonly memoryLimitBytes?: number | undefined;
  /** So often a batch is tried that ends its worker. Default 3. */
  readonly maxAttempts?: number | undefined;
  /** Called before every start; throws when the file must not be loaded any more. */
  readonly check?: (() => void) | undefined;
}

export interface HostOptions extends IsolationOptions {
  readonly assignment: Omit<Assignment, "memoryLimitBytes">;
  readonly log: Logger;
  readonly metrics: PluginMetrics;
  readonly onEvent: (event: GuestEvent, thread: WorkerThread) => void;
  readonly isWaiting: () => boolean;
  /** Brings a new worker to where the old one was, before anything else is asked of it. */
  readonly onStart?: (thread: WorkerThread) => Promise<void>;
  /** Told when a worker was lost, and whether it was at work on nothing. */
  readonly onLost?: (wasIdle: boolean) => void;
}

const MiB = 1024 * 1024;
const DEFAULT_MEMORY_LIMIT = 256 * MiB;
const DEFAULT_ATTEMPTS = 3;
const BACKOFF = { baseMs: 100, capMs: 10_000 };
/** For so long a worker has to live to make up for one failure. */
const MAKES_UP_MS = 5000;
/** How long an ended thread may take to be gone before the next one starts beside it. */
const GONE_MS = 1000;
/** Threads that cannot be ended, because they hang in the system. With so many there is no new one. */
const MAX_STUCK = 3;
/** How long the plugin may take to close, in milliseconds. The engine waits for 2 s. */
const CLOSE_MS = 1500;

/** Keeps a plugin's worker running: starts it, and starts it again, with growing pauses. */
export class WorkerHost {
  readonly maxAttempts: number;
  private readonly options: HostOptions;
  private readonly memoryLimitBytes: number;
  private readonly restarts: Counter;
  private readonly memory: Gauge;
  /** The worker of the moment, or the one to come. */
  private current: Promise<WorkerThread> | undefined;
  private readonly closing = new AbortController();
  private failures = 0;
  private stuck = 0;

  constructor(options: HostOptions) {
    this.options = options;
    this.maxAttempts = options.maxAttempts ?? DEFAULT_ATTEMPTS;
    this.memoryLimitBytes = options.memoryLimitBytes ?? DEFAULT_MEMORY_LIMIT;
    const { metrics, assignment: { kind } } = options;
    this.restarts = metrics.counter(
      "plugin_restarts_total",
      "Number of times that the worker of an isolated plugin was started again",
      { kind },
    );
    this.memory = metrics.gauge(
      "plugin_memory_bytes",
      "Memory on the heap of an isolated plugin's worker",
      { kind },
    );
  }

  get isClosed(): boolean {
    return this.closing.signal.aborted;
  }

  /** Starts the plugin. Rejects with what its `create` threw; then it is not tried again. */
  async prepare(): Promise<void> {
    if (this.current !== undefined) return;
    const first = this.current = this.start();
    try {
      void this.follow(await first);
    } catch (error) {
      this.closing.abort();
      throw error instanceof HostFailure ? new Error(`its worker ${error.message}`) : error;
    }
  }

  /** Asks something of the plugin, once it runs. Rejects with what it threw, or with a {@link HostFailure}. */
  async call<R extends Request>(
    request: R,
    signal?: AbortSignal,
    onPosted?: (call: number) => void,
  ): Promise<ResultOf[R["method"]]> {
    const thread = await this.ready();
    const result = thread.call(request, signal);
    onPosted?.(thread.newestCall);
    return await result;
  }

  /** Closes the plugin and ends its worker, whether it answers or not. */
  async close(): Promise<void> {
    if (this.isClosed) return;
    this.closing.abort();
    const thread = await this.current?.catch(() => undefined);
    if (thread === undefined) return;
    const timeUp = new AbortController();
    try {
      const late = systemClock.sleep(CLOSE_MS, timeUp.signal).then(() => {
        if (!timeUp.signal.aborted) throw new Error(`it takes longer than ${CLOSE_MS} ms`);
      });
      await Promise.race([thread.call({ method: "close" }), late]);
    } finally {
      timeUp.abort();
      thread.end("was closed");
    }
  }

  private async ready(): Promise<WorkerThread> {
    if (this.isClosed) throw new HostFailure("The plugin is closed", false);
    if (this.current === undefined) this.use(this.start());
    try {
      return await this.current!;
    } catch (error) {
      if (error instanceof HostFailure) throw new HostFailure(error.message, true);
      throw new HostFailure((error as Error).message, true, { cause: error });
    }
  }

  private use(start: Promise<WorkerThread>): void {
    this.current = start;
    start.then((thread) => this.follow(thread), (error) => {
      if (!this.isClosed) this.restart(reasonOf(error), true);
    });
  }

  private async follow(thread: WorkerThread): Promise<void> {
    const startedMs = systemClock.nowMs();
    const { reason, wasIdle } = await thread.ended;
    const madeUp = Math.floor((systemClock.nowMs() - startedMs) / MAKES_UP_MS);
    this.failures = Math.max(0, this.failures - madeUp);
    this.memory.value = 0;
    if (this.isClosed) return;
    this.options.onLost?.(wasIdle);
    this.restart(reason, false, thread);
  }

  private restart(reason: string, atStart: boolean, thread?: WorkerThread): void {
    const { capMs, baseMs } = BACKOFF;
    const pauseMs = Math.min(capMs, baseMs * 2 ** this.failures++);
    const { log, assignment: { kind, name, path } } = this.options;
    const what = atStart ? "cannot be started" : "was ended";
    log.error(
      `The worker of ${kind} "${name}" of ${path} ${what}: it ${reason}; starting it again in ${
        pauseMs / 1000
      } s`,
      { reason: "plugin_failed" },
    );
    this.use(this.startAfter(pauseMs, thread));
  }

  private async startAfter(ms: number, old: WorkerThread | undefined): Promise<WorkerThread> {
    const { signal } = this.closing;
    await systemClock.sleep(ms, signal);
    if (old !== undefined) await this.awaitGone(old);
    if (signal.aborted) throw new HostFailure("The plugin is closed", false);
    if (this.stuck >= MAX_STUCK) {
      throw new HostFailure(`hangs in ${this.stuck} threads that cannot be ended`, true);
    }
    this.restarts.value++;
    return await this.start();
  }

  /** Two workers at once need twice the memory, so the old one is waited for, but not without end. */
  private async awaitGone(old: WorkerThread): Promise<void> {
    const timeUp = new AbortController();
    const late = systemClock.sleep(GONE_MS, timeUp.signal).then(() => true);
    const isStuck = await Promise.race([old.closed.then(() => false), late]);
    timeUp.abort();
    if (!isStuck) return;
    this.stuck++;
    void old.closed.then(() => this.stuck--);
  }

  private async start(): Promise<WorkerThread> {
    const { options, memoryLimitBytes } = this;
    options.check?.();
    const thread = new WorkerThread({
      assignment: { ...options.assignment, memoryLimitBytes },
      timeoutMs: options.timeoutMs(),
      memoryLimitBytes,
      onEvent: options.onEvent,
      onMemory: (bytes) => void (this.memory.value = bytes),
      isWaiting: options.isWaiting,
    });
    try {
      await thread.started;
      await options.onStart?.(thread);
      return thread;
    } catch (error) {
      thread.end("could not be set up");
      throw error;
    }
  }
}

function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return error instanceof HostFailure ? message : `says: ${message}`;
}
