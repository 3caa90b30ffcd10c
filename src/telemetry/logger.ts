import type { LogFields, Logger } from "../sdk/context.ts";

export const LOG_LEVELS = ["off", "error", "warn", "info", "debug", "trace"] as const;
export type LogLevel = typeof LOG_LEVELS[number];

export interface LogSinkOptions {
  readonly level: LogLevel;
  /** `text` is for people, `json` is one object per line. */
  readonly format: "text" | "json";
  readonly colours: boolean;
  readonly write: (line: string) => void;
  readonly now: () => Date;
  readonly monotonicMs: () => number;
}

/** A repeat of the same message within this time is counted instead of written, in milliseconds. */
const QUIET_MS = 1000;
const MAX_REMEMBERED = 1000;

const COLOURS = { error: "\x1b[31m", warn: "\x1b[33m", info: "\x1b[36m", debug: "\x1b[90m" };

type Spoken = keyof typeof COLOURS;

interface Remembered {
  untilMs: number;
  suppressed: number;
}

/**
 * The collector's own log: one line a message, with the component's name. Messages that differ only in
 * their numbers count as repeats; of those, one per second is written, with the number left out before it.
 */
export class LogSink {
  private readonly options: LogSinkOptions;
  private readonly remembered = new Map<string, Remembered>();

  constructor(options: LogSinkOptions) {
    this.options = options;
  }

  logger(component: string, level: LogLevel = this.options.level): Logger {
    const limit = LOG_LEVELS.indexOf(level);
    const say = (spoken: Spoken) => (message: string, fields?: LogFields) => {
      if (LOG_LEVELS.indexOf(spoken) <= limit) this.say(spoken, component, message, fields);
    };
    return { error: say("error"), warn: say("warn"), info: say("info"), debug: say("debug") };
  }

  private say(level: Spoken, component: string, message: string, fields: LogFields = {}): void {
    const suppressed = this.repeats(`${level} ${component} ${message.replace(/\d+/g, "#")}`);
    if (suppressed === -1) return;
    const all = suppressed === 0 ? fields : { ...fields, repeated: suppressed };
    const line = this.options.format === "json"
      ? this.json(level, component, message, all)
      : this.text(level, component, message, all);
    this.options.write(line + "\n");
  }

  /** How many repeats were left out since the last time, or -1 to leave this one out too. */
  private repeats(key: string): number {
    const nowMs = this.options.monotonicMs();
    const found = this.remembered.get(key);
    if (found !== undefined && nowMs < found.untilMs) {
      found.suppressed++;
      return -1;
    }
    if (this.remembered.size >= MAX_REMEMBERED) this.remembered.clear();
    this.remembered.set(key, { untilMs: nowMs + QUIET_MS, suppressed: 0 });
    return found?.suppressed ?? 0;
  }

  private json(level: Spoken, component: string, message: string, fields: LogFields): string {
    const time = this.options.now().toISOString();
    return JSON.stringify({ time, level, component, message, ...fields });
  }

  private text(level: Spoken, component: string, message: string, fields: LogFields): string {
    const { colours, now } = this.options;
    const time = now().toISOString().replace("T", " ").slice(0, 23);
    const extra = Object.entries(fields).filter(([, value]) => value !== undefined)
      .map(([key, value]) => ` ${key}=${value}`).join("");
    const word = level.padEnd(5);
    const painted = colours ? `${COLOURS[level]}${word}\x1b[0m` : word;
    return `${time} ${painted} [${component}] ${printable(message + extra)}`;
  }
}

/** Text from outside must not be able to control a terminal or forge a second line. */
function printable(text: string): string {
  return text.replace(/[\x00-\x08\x0a-\x1f\x7f-\x9f]/g, (c) =>
    `\\x${c.charCodeAt(0).toString(16).padStart(2, "0")}`);
}
