import { systemClock } from "../../lib/clock.ts";
import { type ErrorMessage, fromErrorMessage } from "./error-message.ts";
import { HostFailure } from "./host-failure.ts";
import type {
  Assignment,
  FromGuest,
  GuestEvent,
  Method,
  Request,
  ResultOf,
  ToGuest,
} from "./messages.ts";

export interface ThreadOptions {
  readonly assignment: Assignment;
  readonly timeoutMs: number;
  readonly memoryLimitBytes: number;
  /** Events come before the answer of the call in which they happened. */
  readonly onEvent: (event: GuestEvent, thread: WorkerThread) => void;
  /** Told with every answer, in bytes. */
  readonly onMemory: (bytes: number) => void;
  /** True while the plugin waits for the pipeline: that is no hang. */
  readonly isWaiting: () => boolean;
}

interface PendingCall {
  readonly method: Method;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: unknown) => void;
  /** For how long it has been under way, as seen by the watch. */
  ageMs: number;
  /** What the process used when the watch first saw the call, in bytes. */
  firstRss: number | undefined;
}

/** Why a thread came to its end. */
export interface ThreadEnd {
  /** Goes on after "it": `gave no answer within 30 s`. */
  readonly reason: string;
  /** It was at work on no call that could be to blame. */
  readonly wasIdle: boolean;
}

const TICK_MS = 100;
const PING_MS = 5000;

/** In the executable the worker's entry lies beside the main module, else in the tree. */
const ENTRY = import.meta.url.includes("/$bunfs/")
  ? new URL("./worker.js", import.meta.url)
  : new URL("../../worker.ts", import.meta.url);

/** One thread with one plugin in it, from its start to its end. It is watched as long as it lives. */
export class WorkerThread {
  /** Resolves when the plugin was created; rejects with what it threw, or with a {@link HostFailure}. */
  readonly started: Promise<void>;
  /** Resolves with the reason when the thread is of no more use. Its memory may be freed later: {@link closed}. */
  readonly ended: Promise<ThreadEnd>;
  /** Resolves when the runtime has ended the thread. */
  readonly closed: Promise<void>;
  private readonly options: ThreadOptions;
  private readonly worker: Worker;
  private readonly calls = new Map<number, PendingCall>();
  private readonly starting = Promise.withResolvers<void>();
  private readonly ending = Promise.withResolvers<ThreadEnd>();
  private lastCall = 0;
  private isEnded = false;
  private isReady = false;
  private memory = 0;
  private startAgeMs = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private isTicking = false;
  private lookedMs = 0;

  constructor(options: ThreadOptions) {
    this.options = options;
    this.started = this.starting.promise;
    this.started.catch(() => undefined);
    this.ended = this.ending.promise;
    const worker = this.worker = new Worker(ENTRY.href, {
      smol: true,
      // As it is by now: by default it would be that of the start, with what is this thread's alone.
      env: process.env as Record<string, string>,
    });
    const closed = Promise.withResolvers<void>();
    this.closed = closed.promise;
    worker.onmessage = ({ data }: MessageEvent<FromGuest>) => this.receive(data);
    worker.onerror = (event) => this.end(`threw outside a call: ${withoutFrame(event.message)}`);
    worker.addEventListener("close", (event) => {
      closed.resolve();
      this.end(`ended itself with process.exit(${(event as unknown as { code: number }).code})`);
    });
    this.post({ type: "start", assignment: options.assignment });
    this.watch(true);
  }

  /** What the plugin gives back; rejects with what it threw, or with a {@link HostFailure}. */
  call<R extends Request>(request: R, signal?: AbortSignal): Promise<ResultOf[R["method"]]> {
    if (this.isEnded) return Promise.reject(new HostFailure("The worker has ended", false));
    const call = ++this.lastCall;
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const { method } = request;
    this.calls.set(call, { method, resolve, reject, ageMs: 0, firstRss: undefined });
    this.post({ type: "call", call, request });
    if (signal !== undefined) this.abortWith(signal, call);
    if (method !== "run" && !this.isTicking) this.watch(true);
    return promise as Promise<ResultOf[R["method"]]>;
  }

  taken(emit: number): void {
    this.post({ type: "taken", emit });
  }

  acked(emit: number): void {
    this.post({ type: "acked", emit });
  }

  /** The number of the call that was posted last. */
  get newestCall(): number {
    return this.lastCall;
  }

  /** Ends the thread. The calls under way fail, and the newest is blamed unless another is named. */
  end(reason: string, blamed: number = this.newestWork()): void {
    if (this.isEnded) return;
    this.isEnded = true;
    clearTimeout(this.timer);
    this.worker.terminate();
    this.starting.reject(new HostFailure(reason, true));
    for (const [call, pending] of this.calls) {
      pending.reject(new HostFailure(reason, call === blamed));
    }
    this.calls.clear();
    this.ending.resolve({ reason, wasIdle: blamed === 0 });
  }

  private abortWith(signal: AbortSignal, call: number): void {
    const abort = (): void => {
      if (this.calls.has(call)) this.post({ type: "abort", call });
    };
    if (signal.aborted) abort();
    else signal.addEventListener("abort", abort, { once: true });
    const { resolve, reject, ...rest } = this.calls.get(call)!;
    const settle = <T>(then: (value: T) => void) => (value: T): void => {
      signal.removeEventListener("abort", abort);
      then(value);
    };
    this.calls.set(call, { ...rest, resolve: settle(resolve), reject: settle(reject) });
  }

  private post(message: ToGuest): void {
    if (!this.isEnded) this.worker.postMessage(message);
  }

  private receive(message: FromGuest): void {
    if (this.isEnded) return;
    switch (message.type) {
      case "ready":
        this.isReady = true;
        this.noteMemory(message.memory);
        return this.starting.resolve();
      case "failed":
        this.starting.reject(fromErrorMessage(message.error));
        return this.end("could not be set up");
      case "events":
        return this.take(message.events);
      case "fault":
        return this.end(`threw outside a call: ${describe(message.error)}`);
      case "answer": {
        this.take(message.events);
        const pending = this.calls.get(message.call);
        this.calls.delete(message.call);
        if (message.error === undefined) pending?.resolve(message.result);
        else pending?.reject(fromErrorMessage(message.error));
        return this.noteMemory(message.memory);
      }
    }
  }

  private take(events: readonly GuestEvent[]): void {
    for (const event of events) this.options.onEvent(event, this);
  }

  private noteMemory(bytes: number): void {
    this.memory = bytes;
    this.options.onMemory(bytes);
    const { memoryLimitBytes } = this.options;
    // Between two calls nobody is to blame: no batch is lost, or tried again.
    if (bytes > memoryLimitBytes) this.end(this.overLimit(bytes), 0);
  }

  private overLimit(bytes: number): string {
    const { memoryLimitBytes } = this.options;
    return `uses ${megabytes(bytes)}, more than its memory_limit of ${megabytes(memoryLimitBytes)}`;
  }

  /** The newest call that the plugin was at work on; 0 when it was at none. */
  private newestWork(): number {
    const work = [...this.calls].filter(([, { method }]) => method !== "run" && method !== "ping");
    return work.at(-1)?.[0] ?? 0;
  }

  /** Looks again soon while something is to be answered, else after a while. */
  private watch(soon: boolean): void {
    clearTimeout(this.timer);
    this.isTicking = soon;
    this.lookedMs = systemClock.nowMs();
    const { timeoutMs } = this.options;
    const ms = soon ? Math.min(TICK_MS, timeoutMs / 5) : Math.min(PING_MS, timeoutMs);
    this.timer = setTimeout(() => this.look(ms), ms);
  }

  private look(intervalMs: number): void {
    // Time in which this thread itself stood still does not count: answers may be waiting.
    const passedMs = Math.min(systemClock.nowMs() - this.lookedMs, 2 * intervalMs);
    if (!this.isTicking) {
      this.call({ method: "ping" }).catch(() => undefined);
      return;
    }
    if (!this.isReady) this.lookAtStart(passedMs);
    let isWatched = !this.isReady;
    const rss = process.memoryUsage.rss();
    for (const [call, pending] of this.calls) {
      if (this.isEnded) return;
      if (pending.method === "run") continue;
      isWatched = true;
      this.lookAt(call, pending, passedMs, rss);
    }
    if (!this.isEnded) this.watch(isWatched);
  }

  private lookAtStart(passedMs: number): void {
    this.startAgeMs += passedMs;
    if (this.startAgeMs >= this.options.timeoutMs) this.end(`${this.late} when it was started`);
  }

  private lookAt(call: number, pending: PendingCall, passedMs: number, rss: number): void {
    const { isWaiting, timeoutMs, memoryLimitBytes } = this.options;
    pending.firstRss ??= rss;
    const used = this.memory + rss - pending.firstRss;
    // A call that never comes to its end tells nothing of its memory: what the process grew by is a measure.
    if (used > memoryLimitBytes) return this.end(this.overLimit(used));
    if (pending.method !== "ping" && isWaiting()) return;
    pending.ageMs += passedMs;
    if (pending.ageMs < timeoutMs) return;
    this.end(this.late, pending.method === "ping" ? this.newestWork() : call);
  }

  private get late(): string {
    return `gave no answer within ${this.options.timeoutMs / 1000} s`;
  }
}

/** As sizes are written in a configuration. */
function megabytes(bytes: number): string {
  return `${Math.ceil(bytes / 1e6)}M`;
}

function describe({ message, stack }: ErrorMessage): string {
  const place = /\(?((?:\/|file:)[^\s()]*?:\d+:\d+)\)?/.exec(stack ?? "")?.[1];
  const text = firstLine(message);
  return place === undefined ? text : `${text} (${place})`;
}

/** The runtime's own report shows the code around the place first. */
function withoutFrame(report: string): string {
  return firstLine(report.slice(report.search(/^\w*error: /im)).replace(/^error: /, ""));
}

function firstLine(text: string): string {
  return text.replace(/\s+/g, " ").trim().slice(0, 500);
}
