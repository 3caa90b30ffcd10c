import type { Gauge, PluginContext } from "../../sdk/context.ts";
import { ConfigError } from "../../sdk/errors.ts";
import { BusyWatch } from "./busy-watch.ts";
import { type Answer, GoProcess, ProcessEnded } from "./go-process.ts";
import { residentBytes } from "./process-facts.ts";
import { ASK } from "./protocol.ts";
import { restartPauseMs } from "./restart-pause.ts";

/** One configured plugin: what its process needs to know of it. */
export interface GoInstance {
  readonly ctx: PluginContext;
  /** The options as text, by their names. */
  readonly options: Readonly<Record<string, string>>;
}

export interface GoHostOptions {
  readonly path: string;
  /** How long a call of the plugin may take, in milliseconds. */
  readonly timeoutMs: () => number;
  /** Gives a process that is already there, in place of the first one. */
  readonly adopt?: (() => GoProcess | undefined) | undefined;
}

/** How a call may end other than with its answer. */
export interface CallLimits {
  readonly signal?: AbortSignal | undefined;
  /** The plugin may wait in the call for as long as it likes, if it does not keep a processor busy meanwhile. */
  readonly mayWait?: boolean;
}

const MEMORY_EVERY_MS = 5000;
/** How often it is looked in the time that a call may take whether the plugin waits in it. */
const LOOKS = 20;
/** How long a plugin may take to end one instance. */
const EXIT_MS = 1500;
/** How long a process may take to end once it is let go. */
const LEAVE_MS = 400;

/**
 * The process of one plugin file, with the instances that live in it: started when something is asked of it,
 * and started again when it ended. One thing is asked at a time.
 */
export class GoHost {
  private readonly options: GoHostOptions;
  private readonly numbers = new Map<GoInstance, number>();
  private nextNumber = 1;
  private process: GoProcess | undefined;
  private ready = new Set<GoInstance>();
  private turn: Promise<unknown> = Promise.resolve();
  /** Processes that ended since a call last succeeded. */
  private failures = 0;
  private starts = 0;
  private stopWatch: (() => void) | undefined;
  private memory: Gauge | undefined;

  constructor(options: GoHostOptions) {
    this.options = options;
  }

  add(instance: GoInstance): void {
    this.numbers.set(instance, this.nextNumber++);
  }

  /** Sets the instance up for the first time. Rejects with a ConfigError when the plugin refuses it. */
  async prepare(instance: GoInstance): Promise<void> {
    try {
      await this.inTurn(() => this.readyProcess(instance, {}));
    } catch (error) {
      // The message has what the plugin said last; all of it would bury the message.
      const say = (line: string) => instance.ctx.log.debug(line);
      this.process?.lines.to({ error: say, warn: say, info: say, debug: say });
      throw new ConfigError((error as Error).message, undefined, { cause: error });
    }
  }

  /**
   * Asks something of an instance, and starts and sets up what must be for it. Rejects when the process ends or
   * takes too long: what was asked then may have been done or not.
   */
  async call(
    instance: GoInstance,
    kind: number,
    body: readonly Uint8Array[],
    limits: CallLimits = {},
  ): Promise<Answer> {
    return await untilAborted(
      this.inTurn(async () => {
        const process = await this.readyProcess(instance, limits);
        const answer = await this.ask(process, instance, kind, body, limits);
        this.failures = 0;
        return answer;
      }),
      limits.signal,
    );
  }

  /** Ends an instance, and with the last one the process. */
  async close(instance: GoInstance): Promise<void> {
    const { process } = this;
    const late = setTimeout(() => {
      instance.ctx.log.warn(`${this.options.path} does not end in time: its process is killed`);
      process?.kill("it was stopped");
    }, EXIT_MS);
    try {
      await this.inTurn(() => this.exit(instance));
    } catch {
      // It ended without being asked to.
    } finally {
      clearTimeout(late);
      this.numbers.delete(instance);
    }
    if (this.numbers.size > 0) return;
    this.process = undefined;
    this.stopWatch?.();
    if (process !== undefined) await end(process);
  }

  private async exit(instance: GoInstance): Promise<void> {
    const { process } = this;
    if (process === undefined || process.isOver || !this.ready.delete(instance)) return;
    await process.ask(ASK.exit, this.numbers.get(instance)!, []);
  }

  private inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.turn.then(work);
    this.turn = result.catch(() => undefined);
    return result;
  }

  private async readyProcess(instance: GoInstance, limits: CallLimits): Promise<GoProcess> {
    const number = this.numbers.get(instance);
    if (number === undefined) throw new Error("Cannot ask a plugin that was closed");
    const process = await this.startedProcess(instance, limits);
    if (this.ready.has(instance)) return process;
    const options = Buffer.from(JSON.stringify(instance.options));
    const { body } = await this.ask(process, instance, ASK.init, [options], limits);
    const code = body.readInt32LE(0);
    if (code <= 0) throw await this.refusal(process, code);
    this.ready.add(instance);
    if (this.ready.size === 1) {
      instance.ctx.log.info(`${this.options.path} runs in process ${process.pid}`);
      process.lines.to(instance.ctx.log);
    }
    return process;
  }

  /** What the plugin printed tells why, and all of it is there only when the process has ended. */
  private async refusal(process: GoProcess, code: number): Promise<Error> {
    if (this.ready.size === 0) await end(process);
    const { path } = this.options;
    return new Error(
      process.withWords(`${path} refuses its options: FLBPluginInit returned ${code}`),
    );
  }

  private async startedProcess(instance: GoInstance, limits: CallLimits): Promise<GoProcess> {
    if (this.process !== undefined && !this.process.isOver) return this.process;
    const { ctx } = instance;
    if (this.process !== undefined) this.failures++;
    if (this.failures > 0) {
      await ctx.clock.sleep(restartPauseMs(this.failures), limits.signal);
      limits.signal?.throwIfAborted();
    }
    this.ready = new Set();
    const process = this.options.adopt?.() ?? new GoProcess(this.options.path);
    this.process = process;
    if (this.starts > 0) process.lines.to(ctx.log);
    this.countStart(ctx);
    await this.within(process, process.hello, "FLBPluginRegister", limits);
    this.watchMemory(ctx, process);
    return process;
  }

  private countStart({ metrics }: PluginContext): void {
    const restarts = metrics.counter(
      "go_plugin_restarts_total",
      "How often the process of a Go plugin was started again",
    );
    if (this.starts++ > 0) restarts.value++;
  }

  private async ask(
    process: GoProcess,
    instance: GoInstance,
    kind: number,
    body: readonly Uint8Array[],
    limits: CallLimits,
  ): Promise<Answer> {
    const answer = process.ask(kind, this.numbers.get(instance)!, body);
    return await this.within(process, answer, CALLS[kind] ?? "a call", limits);
  }

  /** A plugin that does not answer is ended: nothing else gets it back. */
  private async within<T>(
    process: GoProcess,
    answer: Promise<T>,
    call: string,
    limits: CallLimits,
  ): Promise<T> {
    const ms = this.options.timeoutMs();
    const watch = limits.mayWait ? new BusyWatch(process.pid) : undefined;
    const stepMs = watch === undefined ? ms : ms / LOOKS;
    let looks = 0;
    const look = () => {
      watch?.look();
      if (watch === undefined || (++looks % LOOKS === 0 && watch.wasBusy(ms))) {
        process.kill(`${call} did not return within ${ms / 1000} s`);
      } else timer = setTimeout(look, stepMs);
    };
    let timer = setTimeout(look, stepMs);
    try {
      return await answer;
    } catch (error) {
      if (!(error instanceof ProcessEnded)) throw error;
      throw new Error(`${this.options.path} failed in ${call}: ${error.message}`, { cause: error });
    } finally {
      clearTimeout(timer);
    }
  }

  private watchMemory({ metrics, clock }: PluginContext, process: GoProcess): void {
    this.stopWatch?.();
    const gauge = this.memory ??= metrics.gauge(
      "go_plugin_memory_bytes",
      "Resident memory of the process of a Go plugin, which all instances of the file share",
    );
    const look = () => {
      gauge.value = process.isOver ? 0 : residentBytes(process.pid);
      cancel = clock.after(MEMORY_EVERY_MS, look);
    };
    let cancel = () => {};
    look();
    this.stopWatch = () => {
      cancel();
      gauge.value = 0;
    };
  }
}

const CALLS: Readonly<Record<number, string>> = {
  [ASK.init]: "FLBPluginInit",
  [ASK.flush]: "FLBPluginFlush",
  [ASK.collect]: "FLBPluginInputCallback",
  [ASK.exit]: "FLBPluginExit",
};

/** Lets a process end by itself, but not for long. */
async function end(process: GoProcess): Promise<void> {
  process.release();
  const late = setTimeout(() => process.kill("it was stopped"), LEAVE_MS);
  await process.ended;
  clearTimeout(late);
}

/** The caller need not wait for what is no longer wanted; the work itself goes on. */
function untilAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work;
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    if (signal.aborted) abort();
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}
