import type { LogSink } from "./logger.ts";
import type { MetricsRegistry } from "./metrics.ts";

export interface ProcessMetricsOptions {
  readonly version: string;
  readonly hostname: string;
  /** When the process started, in seconds since the epoch. */
  readonly startedSec: number;
  readonly uptimeSec: () => number;
  readonly log: Pick<LogSink, "counts">;
  /** Milliseconds that never jump. */
  readonly nowMs: () => number;
}

/** Between two looks at the event loop, in milliseconds. */
const BEAT_MS = 1000;
/** The longest delay is told of so many looks back: ten to twenty seconds. */
const BEATS = 10;

/** What the process itself tells: uptime, build, memory, processor time, and how late its event loop is. */
export function addProcessMetrics(
  registry: MetricsRegistry,
  options: ProcessMetricsOptions,
): { stop(): void } {
  const { version, hostname, startedSec, log } = options;
  const host = { hostname };
  const uptime = registry.counter(
    "uptime",
    "Number of seconds that the collector has been running",
    host,
  );
  registry.gauge("build_info", "Build version information", {
    hostname,
    version,
    edition: "logcollector",
    os: process.platform,
  }).value = 1;
  const start = "Start time of the process since unix epoch in seconds";
  registry.gauge("process_start_time_seconds", start, host).value = startedSec;
  registry.gauge("process_start_time_seconds", start, {}, "").value = startedSec;
  const memory = registry.gauge(
    "process_resident_memory_bytes",
    "Resident memory size in bytes",
    {},
    "",
  );
  const heap = registry.gauge("heap_used_bytes", "Bytes of the runtime's heap in use");
  const cpu = registry.counter(
    "process_cpu_seconds_total",
    "Total user and system CPU time spent in seconds",
    {},
    "",
  );
  const delay = registry.gauge(
    "event_loop_delay_seconds",
    "Longest time that the event loop was late within the last ten to twenty seconds",
  );
  const logged = Object.keys(log.counts).map((level) => ({
    level: level as keyof LogSink["counts"],
    counter: registry.counter("logger_logs_total", "Total number of logs", { message_type: level }),
  }));
  const loop = new LoopDelay(options.nowMs);
  registry.onCollect(() => {
    uptime.value = options.uptimeSec();
    const usage = process.memoryUsage();
    memory.value = usage.rss;
    heap.value = usage.heapUsed;
    const { user, system } = process.cpuUsage();
    cpu.value = (user + system) / 1e6;
    delay.value = loop.longestMs / 1000;
    for (const { level, counter } of logged) counter.value = log.counts[level];
  });
  return loop;
}

class LoopDelay {
  private readonly timer: ReturnType<typeof setInterval>;
  private dueMs: number;
  private before = 0;
  private current = 0;
  private beats = 0;

  constructor(nowMs: () => number) {
    this.dueMs = nowMs() + BEAT_MS;
    this.timer = setInterval(() => {
      const now = nowMs();
      this.current = Math.max(this.current, now - this.dueMs);
      this.dueMs = now + BEAT_MS;
      if (++this.beats < BEATS) return;
      this.before = this.current;
      this.current = 0;
      this.beats = 0;
    }, BEAT_MS);
    this.timer.unref();
  }

  get longestMs(): number {
    return Math.max(0, this.before, this.current);
  }

  stop(): void {
    clearInterval(this.timer);
  }
}
