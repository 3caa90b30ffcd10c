import type { LogFields, Logger } from "../sdk/context.ts";
import { DEADLINE_MS, until } from "./deadline.ts";

/** One message that a plugin logged. */
export interface LoggedMessage {
  readonly level: "error" | "warn" | "info" | "debug";
  readonly message: string;
  readonly fields: LogFields;
}

/** Keeps what a plugin says to the operator. Nothing is left out, repeats neither. */
export class CapturedLog implements Logger {
  readonly entries: LoggedMessage[] = [];

  /** All messages with their levels, as in `warn: Queue is full`. */
  get messages(): string[] {
    return this.entries.map(({ level, message }) => `${level}: ${message}`);
  }

  /** The messages of one level. */
  at(level: LoggedMessage["level"]): string[] {
    return this.entries.filter((entry) => entry.level === level).map(({ message }) => message);
  }

  /** Waits for a message with this in it; rejects after 5 s of real time, or `deadlineMs`. */
  async until(text: string | RegExp, deadlineMs: number = DEADLINE_MS): Promise<void> {
    await until(
      () => this.messages.some((message) => message.search(asPattern(text)) >= 0),
      () => `a log message with ${text}; there are: ${this.messages.join(" | ") || "none"}`,
      deadlineMs,
    );
  }

  error(message: string, fields: LogFields = {}): void {
    this.entries.push({ level: "error", message, fields });
  }
  warn(message: string, fields: LogFields = {}): void {
    this.entries.push({ level: "warn", message, fields });
  }
  info(message: string, fields: LogFields = {}): void {
    this.entries.push({ level: "info", message, fields });
  }
  debug(message: string, fields: LogFields = {}): void {
    this.entries.push({ level: "debug", message, fields });
  }
}

function asPattern(text: string | RegExp): RegExp {
  return typeof text === "string" ? new RegExp(RegExp.escape(text)) : text;
}
