import { openSync, writeSync } from "node:fs";
import type { ServiceOptions } from "../config/service-options.ts";
import { isTerminal } from "../lib/is-terminal.ts";
import { type LogLevel, LogSink } from "../telemetry/logger.ts";

/** `warning` is Fluent Bit's other name for `warn`. */
export function logLevel(word: ServiceOptions["log_level"]): LogLevel {
  return word === "warning" ? "warn" : word;
}

/** The collector's own log, on stderr or in `log_file`. Throws when that file cannot be opened. */
export function ownLog(service: ServiceOptions): LogSink {
  const fd = service.log_file === undefined ? 2 : openSync(service.log_file, "a", 0o640);
  const terminal = fd === 2 && isTerminal(2);
  return new LogSink({
    level: logLevel(service.log_level),
    format: terminal ? "text" : "json",
    colours: terminal && process.env.NO_COLOR === undefined,
    write: (line) => writeAll(fd, line),
    now: () => new Date(),
    // A pending report of repeats must not keep the process alive.
    after: (ms, call) => void setTimeout(call, ms).unref(),
  });
}

/** The log must never stop the collector: what cannot be written now is left out. */
function writeAll(fd: number, line: string): void {
  try {
    writeSync(fd, line);
  } catch {
    // Nobody is left to tell.
  }
}
