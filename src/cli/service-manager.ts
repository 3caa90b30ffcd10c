import { systemClock } from "../lib/clock.ts";
import { DatagramSocket } from "../lib/datagram-socket.ts";
import { escapeControls } from "../lib/escape-controls.ts";
import { monotonicMicros } from "../lib/monotonic-micros.ts";
import type { Logger } from "../sdk/context.ts";

/** A socket that is full for the moment is tried again after so many milliseconds, up to so many times. */
const RETRY_MS = 100;
const MAX_RETRIES = 100;
const MAX_WAITING = 64;
/** The service manager takes messages of 4096 bytes; a character has at most three in what a status says. */
const MAX_STATUS_CHARS = 1000;
/** How often the status is looked at; other words are told at once, */
const STATUS_MS = 1000;
/** and other numbers after so long: each message wakes up others. */
const NUMBERS_MS = 10_000;
/** What a stop may take beyond the time for deliveries. */
const STOP_MARGIN_MS = 30_000;

const TRANSIENT = ["EAGAIN", "ENOBUFS", "EINTR", "ENOMEM"];

/** Where the service manager listens, as it said in the environment. */
export interface NotifySettings {
  readonly address: string | undefined;
  readonly watchdogUsec: string | undefined;
  readonly watchdogPid: string | undefined;
}

/** Takes the settings out of the environment: children are not to speak for this process. */
export function takeNotifySettings(env: Record<string, string | undefined>): NotifySettings {
  const { NOTIFY_SOCKET: address, WATCHDOG_USEC: watchdogUsec, WATCHDOG_PID: watchdogPid } = env;
  for (const name of ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"]) delete env[name];
  return { address, watchdogUsec, watchdogPid };
}

/**
 * Tells the service manager how the run is getting on, as sd_notify(3) has it: that it is ready, reloads, stops, is
 * alive, and what it is at. Does nothing where there is no service manager, and a socket that does not work costs a
 * line in the log.
 */
export class ServiceManager {
  private readonly log: Logger;
  private socket: DatagramSocket | undefined;
  private address = "";
  private watchdogMs: number | undefined;
  private isStopping = false;
  private isBroken = false;
  /** Messages that found the socket full, the oldest first. */
  private readonly waiting: string[] = [];
  private retries = 0;
  private retryTimer: ReturnType<typeof setTimeout> | undefined;
  private readonly timers: ReturnType<typeof setInterval>[] = [];
  private describe: () => string = () => "";
  private isAlive: () => boolean = () => true;
  private lastStatus = "";
  private lastStatusMs = 0;

  constructor(settings: NotifySettings, log: Logger, pid: number = process.pid) {
    this.log = log;
    const { address } = settings;
    if (address === undefined || address === "") return;
    this.address = address;
    this.watchdogMs = this.watchdogPeriod(settings, pid);
    try {
      this.socket = new DatagramSocket(address);
    } catch (error) {
      log.warn(`Cannot notify the service manager: ${(error as Error).message}`);
    }
  }

  /**
   * The pipeline runs. From now on the status is what `describe` returns, and the watchdog is served, as long as other
   * threads are alive too.
   */
  ready(describe: () => string, isAlive: () => boolean = () => true): void {
    if (this.socket === undefined) return;
    this.describe = describe;
    this.isAlive = isAlive;
    this.tell("READY=1", this.statusLine());
    this.every(STATUS_MS, () => this.tellStatus());
    // By this thread's own timer: when the event loop hangs nothing is sent, and that is the point.
    if (this.watchdogMs !== undefined) this.every(this.watchdogMs / 2, () => this.watchdog());
  }

  /** A reload begins. */
  reloading(): void {
    if (this.socket === undefined || this.isStopping) return;
    const lines = ["RELOADING=1", "STATUS=Reloading the configuration"];
    try {
      lines.push(`MONOTONIC_USEC=${monotonicMicros()}`);
    } catch {
      // Only Type=notify-reload asks for it.
    }
    this.tell(...lines);
  }

  /** A reload is over, whatever came of it. */
  reloaded(): void {
    if (!this.isStopping) this.tell("READY=1", this.statusLine());
  }

  /** The stop begins; deliveries have so long. */
  stopping(graceMs: number): void {
    if (this.isStopping) return;
    this.isStopping = true;
    // Otherwise a `grace` above the unit's TimeoutStopSec would end in a kill.
    const micros = Math.round((graceMs + STOP_MARGIN_MS) * 1000);
    this.tell(
      "STOPPING=1",
      "STATUS=Stopping: delivering what waits",
      `EXTEND_TIMEOUT_USEC=${micros}`,
    );
  }

  close(): void {
    for (const timer of this.timers) clearInterval(timer);
    clearTimeout(this.retryTimer);
    this.socket?.[Symbol.dispose]();
    this.socket = undefined;
  }

  /** For how long the watchdog waits; `undefined` when nobody waits for this process. */
  private watchdogPeriod(
    { watchdogUsec: usec, watchdogPid }: NotifySettings,
    pid: number,
  ): number | undefined {
    if (usec === undefined || (watchdogPid !== undefined && watchdogPid !== String(pid))) {
      return undefined;
    }
    if (/^[1-9]\d*$/.test(usec)) return Number(usec) / 1000;
    this.log.warn(`Cannot serve the watchdog: WATCHDOG_USEC is "${usec}"`);
    return undefined;
  }

  private watchdog(): void {
    // One that finds the socket full is made up for by the next.
    if (this.waiting.length === 0 && this.isAlive()) this.send("WATCHDOG=1");
  }

  private tellStatus(): void {
    if (this.isStopping || this.waiting.length > 0) return;
    const line = this.statusLine();
    if (line === this.lastStatus) return;
    const isOld = systemClock.nowMs() - this.lastStatusMs >= NUMBERS_MS;
    if (isOld || wordsOf(line) !== wordsOf(this.lastStatus)) this.tell(line);
  }

  private statusLine(): string {
    const text = escapeControls(this.describe()).replace(/\s+/g, " ");
    const cut = text.length > MAX_STATUS_CHARS ? `${text.slice(0, MAX_STATUS_CHARS)} …` : text;
    return `STATUS=${cut}`;
  }

  private tell(...lines: string[]): void {
    if (this.socket === undefined) return;
    this.lastStatus = lines.find((line) => line.startsWith("STATUS=")) ?? this.lastStatus;
    this.lastStatusMs = systemClock.nowMs();
    const message = lines.join("\n");
    if (this.waiting.length > 0 || this.send(message) === "later") this.tryLater(message);
  }

  private send(message: string): "later" | undefined {
    const problem = this.socket?.send(Buffer.from(message));
    if (problem === undefined) {
      this.isBroken = false;
      return undefined;
    }
    if (TRANSIENT.includes(problem)) return "later";
    // Once, until it works again.
    if (!this.isBroken) {
      this.log.warn(`Cannot notify the service manager at ${this.address}: ${problem}`);
    }
    this.isBroken = true;
    return undefined;
  }

  private tryLater(message: string): void {
    this.waiting.push(message);
    if (this.waiting.length > MAX_WAITING) this.waiting.shift();
    if (this.waiting.length === 1) this.scheduleRetry();
  }

  private scheduleRetry(): void {
    this.retryTimer = setTimeout(() => this.retry(), RETRY_MS);
    this.retryTimer.unref();
  }

  private retry(): void {
    while (this.waiting.length > 0 && this.send(this.waiting[0]!) === undefined) {
      this.waiting.shift();
      this.retries = 0;
    }
    if (this.waiting.length === 0) return;
    if (this.retries++ < MAX_RETRIES) return this.scheduleRetry();
    this.log.warn(`Cannot notify the service manager at ${this.address}: it does not read`);
    this.waiting.length = 0;
    this.retries = 0;
  }

  private every(ms: number, call: () => void): void {
    const timer = setInterval(call, Math.max(1, Math.floor(ms)));
    timer.unref();
    this.timers.push(timer);
  }
}

function wordsOf(status: string): string {
  return status.replace(/\d+/g, "0");
}
