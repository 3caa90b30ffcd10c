import type { CheckpointFile, SavedPosition } from "../../engine/checkpoint-file.ts";
import type { LogFields, Logger } from "../../sdk/context.ts";
import { LOG_LEVELS, type LogLevel } from "../../telemetry/logger.ts";
import type { FromShard, LogMessage, Positions } from "./messages.ts";

type Post = (message: FromShard) => void;

/** The log of a worker: the main thread writes it, so that lines stay whole and repeats are counted together. */
export class ForwardedLog {
  private readonly post: Post;
  private readonly level: LogLevel;

  constructor(post: Post, level: LogLevel) {
    this.post = post;
    this.level = level;
  }

  logger(component: string, level?: LogLevel, suppressMs?: number): Logger {
    const limit = LOG_LEVELS.indexOf(level ?? this.level);
    const say = (spoken: LogMessage["spoken"]) => (message: string, fields?: LogFields) => {
      if (LOG_LEVELS.indexOf(spoken) > limit) return;
      const log = { component, level, suppressMs, spoken, message, fields };
      this.post({ type: "log", log });
    };
    return { error: say("error"), warn: say("warn"), info: say("info"), debug: say("debug") };
  }
}

/** Positions of an input in a worker: the main thread has the file, and writes them down. */
export class ForwardedCheckpoints implements CheckpointFile {
  readonly saved: Positions;
  private readonly input: string;
  private readonly post: Post;

  constructor(input: string, saved: Positions, post: Post) {
    this.input = input;
    this.saved = saved;
    this.post = post;
  }

  commit(
    changed: ReadonlyMap<string, SavedPosition>,
    removed: ReadonlySet<string>,
  ): void {
    if (changed.size + removed.size === 0) return;
    this.post({ type: "moved", input: this.input, changed, removed });
  }

  close(): void {}
}
