import type { LogFields, Logger } from "../sdk/context.ts";
import { printable, printableJson } from "./printable.ts";
import { QUIET_MS, Repeats } from "./repeats.ts";

export const LOG_LEVELS = ["off", "error", "warn", "info", "debug", "trace"] as const;
export type LogLevel = typeof LOG_LEVELS[number];

export interface LogSinkOptions {
  readonly level: LogLevel;
  /** `text` is for people, `json` is one object per line. */
  readonly format: "text" | "json";
  readonly colours: boolean;
  readonly write: (line: string) => void;
  readonly now: () => Date;
  /** Calls back once after so many milliseconds. Must not keep the process alive. */
  readonly after: (ms: number, call: () => void) => void;
}

/** A message that quotes a whole response or record is cut here, in characters. */
const MAX_MESSAGE = 4000;

const COLOURS = { error: "\x1b[31m", warn: "\x1b[33m", info: "\x1b[36m", debug: "\x1b[90m" };

type Spoken = keyof typeof COLOURS;

interface Line {
  readonly level: Spoken;
  readonly component: string;
  readonly message: string;
  readonly fields: LogFields;
}

/**
 * The collector's own log: one line a message, with the component's name. Messages that differ only in
 * their numbers count as repeats, and of those one per second is written, with their number.
 */
export class LogSink {
  /** Messages by level, those included that were left out as repeats. */
  readonly counts: Record<Spoken, number> = { error: 0, warn: 0, info: 0, debug: 0 };
  /** How much is said by components that have no level of their own. May change at any time. */
  level: LogLevel;
  private readonly options: LogSinkOptions;
  private readonly repeats: Repeats<Line>;

  constructor(options: LogSinkOptions) {
    this.options = options;
    this.level = options.level;
    this.repeats = new Repeats(options, (line, repeated) => this.put(line, repeated));
  }

  /** The log of one component. `suppressMs` is for how long repeats are held back, if longer than a second. */
  logger(component: string, level?: LogLevel, suppressMs = 0): Logger {
    const quietMs = Math.max(QUIET_MS, suppressMs);
    const group = component.replace(/\s/g, "_");
    const say = (spoken: Spoken) => (message: string, fields: LogFields = {}) => {
      if (LOG_LEVELS.indexOf(spoken) > LOG_LEVELS.indexOf(level ?? this.level)) return;
      this.counts[spoken]++;
      const line = { level: spoken, component, message: cut(message), fields };
      if (this.repeats.admit(`${spoken} ${group}`, line.message, line, quietMs)) {
        this.put(line, 0);
      }
    };
    return { error: say("error"), warn: say("warn"), info: say("info"), debug: say("debug") };
  }

  /** Writes one of several lines that belong together, however alike they are. */
  write(level: Spoken, component: string, message: string): void {
    if (LOG_LEVELS.indexOf(level) > LOG_LEVELS.indexOf(this.level)) return;
    this.counts[level]++;
    this.put({ level, component, message: cut(message), fields: {} }, 0);
  }

  /** Writes what is still counted as repeats. Call it before the process ends. */
  flush(): void {
    this.repeats.flush();
  }

  private put(line: Line, repeated: number): void {
    const fields = repeated === 0 ? line.fields : { ...line.fields, repeated };
    const text = this.options.format === "json"
      ? this.json({ ...line, fields })
      : this.text({ ...line, fields });
    this.options.write(`${text}\n`);
  }

  private json({ level, component, message, fields }: Line): string {
    const own = { time: this.options.now().toISOString(), level, component, message };
    // Twice: first for the order, then so that no field can pass for one of ours.
    return printableJson(JSON.stringify({ ...own, ...fields, ...own }));
  }

  private text({ level, component, message, fields }: Line): string {
    const { colours, now } = this.options;
    const time = now().toISOString().replace("T", " ").slice(0, 23);
    const extra = Object.entries(fields).filter(([, value]) => value !== undefined)
      .map(([key, value]) => ` ${key}=${plainOrQuoted(String(value))}`).join("");
    const word = level.padEnd(5);
    const painted = colours ? `${COLOURS[level]}${word}\x1b[0m` : word;
    return `${time} ${painted} ${printable(`[${component}] ${message}${extra}`)}`;
  }
}

function cut(message: string): string {
  if (message.length <= MAX_MESSAGE) return message;
  return `${message.slice(0, MAX_MESSAGE)}… (${message.length} characters)`;
}

function plainOrQuoted(value: string): string {
  return /[\s"=]/.test(value) ? JSON.stringify(value) : value;
}
