import {
  type Body,
  type Clock,
  compileTemplate,
  ConfigError,
  type Logger,
  strftimeUtc,
  type Template,
} from "logcollector/plugin";
import { type BulkConfig, DEFAULT_INDEX } from "./config.ts";

/** Finds the index of a record. */
export interface IndexNames {
  /** Whether fields or the tag have a say in it. */
  readonly needsBody: boolean;
  of(sec: number, tag: string, body: Body): string;
}

export interface IndexOptions {
  readonly clock: Clock;
  readonly log: Logger;
  /** Whether a `$` in `index` stands for a field. */
  readonly hasTemplate: boolean;
}

/**
 * Names from the configuration are taken as they are. Those from fields or the tag come from whoever writes the logs,
 * and may lead only to indices with ordinary names.
 */
export function indexNames(config: BulkConfig, options: IndexOptions): IndexNames {
  if (config.logstash_format) return datedNames(config, options);
  if (options.hasTemplate && config.index.includes("$")) {
    return templateNames(templateOf(config.index), options.log);
  }
  const name = dateText(config.index);
  return { needsBody: false, of: () => name(options.clock.wall().sec) };
}

function templateOf(index: string): Template {
  try {
    return compileTemplate(index);
  } catch (cause) {
    throw new ConfigError((cause as Error).message, "index", { cause });
  }
}

function datedNames(config: BulkConfig, { clock, log }: IndexOptions): IndexNames {
  const {
    logstash_prefix: usual,
    logstash_prefix_key: key,
    logstash_prefix_separator: separator,
    current_time_index: isNow,
  } = config;
  const date = dateText(config.logstash_dateformat);
  const dateOf = (sec: number) => date(isNow ? clock.wall().sec : sec);
  if (key === undefined) {
    return { needsBody: false, of: (sec) => usual + separator + dateOf(sec) };
  }
  return {
    needsBody: true,
    of(sec, tag, body) {
      const prefix = key.render(body, tag);
      const end = separator + dateOf(sec);
      // As in Fluent Bit, where the field is missing.
      if (prefix === "") return usual + end;
      const name = prefix + end;
      if (isOrdinaryName(prefix) && Buffer.byteLength(name) <= MAX_NAME_BYTES) return name;
      warn(log, prefix, usual);
      return usual + end;
    },
  };
}

function templateNames(template: Template, log: Logger): IndexNames {
  const mayBeHidden = template.source.startsWith(".");
  return {
    needsBody: true,
    of(_sec, tag, body) {
      const name = template.render(body, tag);
      if (isOrdinaryName(mayBeHidden ? name.slice(1) : name)) return name;
      warn(log, name, DEFAULT_INDEX);
      return DEFAULT_INDEX;
    },
  };
}

function warn(log: Logger, name: string, instead: string): void {
  const shown = JSON.stringify(name.length > 100 ? `${name.slice(0, 100)}…` : name);
  log.warn(`Cannot use ${shown} from a record in an index's name: took "${instead}" instead`);
}

const MAX_NAME_BYTES = 255;
// deno-lint-ignore no-control-regex
const REFUSED = /[\0-\x20\x7f"*+,/:<>?\\|#%]|^[._-]/;

/**
 * Whether an index may be called so: what the servers refuse is not allowed, nor what means more than one index, an
 * expression, or the servers' own indices, whose names begin with a dot.
 */
export function isOrdinaryName(name: string): boolean {
  return name !== "" && !REFUSED.test(name) && name === name.toLowerCase() &&
    name.isWellFormed() && Buffer.byteLength(name) <= MAX_NAME_BYTES;
}

/** The format with a time in it; the last text is remembered, since time rarely moves between two records. */
export function dateText(format: string): (sec: number) => string {
  if (!format.includes("%")) return () => format;
  let lastSec = NaN;
  let last = "";
  return (sec) => {
    if (sec !== lastSec) {
      last = strftimeUtc(format, sec);
      lastSec = sec;
    }
    return last;
  };
}
