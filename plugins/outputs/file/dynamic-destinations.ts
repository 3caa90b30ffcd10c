import {
  type Batch,
  compileTemplate,
  ConfigError,
  type LogRecord,
  type OutputContext,
  type PayloadWriter,
  strftimeUtc,
  type Template,
} from "logcollector/plugin";
import { resolve } from "node:path";
import type { FileConfig } from "./config.ts";
import { DestinationLimit } from "./destination-limit.ts";
import { compose, isTooLong, sanitizeTag } from "./static-path.ts";

/** Chooses files by the fields and the time of each record. */
export interface DynamicDestinations {
  /** The folder that every file but the fallback lies in. */
  readonly base: string;
  readonly fallback: string | undefined;
  /** The records of each file, in their order. What goes nowhere has been counted. */
  split(batch: Batch, into: PayloadWriter): Iterable<readonly [path: string, LogRecord[]]>;
}

/** `undefined` when neither path nor file depends on the record. */
export function dynamicDestinations(
  config: FileConfig,
  ctx: Pick<OutputContext, "log" | "clock">,
): DynamicDestinations | undefined {
  const path = dynamicName(config.path, "path", config.enable_strftime);
  const file = dynamicName(config.file, "file", config.enable_strftime);
  if (path === undefined && file === undefined) return undefined;
  const base = baseFolder(config, path !== undefined);
  const fallback = fallbackPath(config);
  const limit = new DestinationLimit(config.max_dynamic_files, ctx.clock);
  const refuse = { missing: config.on_missing_field, limit: config.on_limit_reached };

  const pathOf = (record: LogRecord, tag: string): string | Refusal => {
    const folder = path === undefined ? config.path : path.of(record, tag);
    if (path !== undefined && folder === undefined) return MISSING_PATH;
    const name = file === undefined ? config.file ?? sanitizeTag(tag) : file.of(record, tag);
    if (name === undefined) return MISSING_FILE;
    if (path !== undefined && !isSafeFolder(folder!, base.text)) return UNSAFE;
    if (file !== undefined && !isSafeName(name)) return UNSAFE;
    const composed = compose(folder, name);
    if (isTooLong(composed)) return UNSAFE;
    return limit.admits(composed) ? composed : TOO_MANY;
  };

  return {
    base: base.folder,
    fallback,
    split(batch, into) {
      const parts = new Map<string, LogRecord[]>();
      for (const record of batch.records) {
        let destination = pathOf(record, batch.tag);
        if (typeof destination !== "string") {
          const action = refuse[destination.option];
          if (action !== "fallback") {
            ctx.log[action === "error" ? "error" : "warn"](`Dropped records: ${destination.text}`);
            into.drop(1, destination.reason);
            continue;
          }
          destination = fallback!;
        }
        const records = parts.get(destination);
        if (records === undefined) parts.set(destination, [record]);
        else records.push(record);
      }
      return parts;
    },
  };
}

interface Refusal {
  readonly option: "missing" | "limit";
  readonly reason: string;
  readonly text: string;
}
const MISSING_PATH: Refusal = {
  option: "missing",
  reason: "missing_field",
  text: "a field that path names is missing",
};
const MISSING_FILE: Refusal = { ...MISSING_PATH, text: "a field that file names is missing" };
const UNSAFE: Refusal = {
  option: "missing",
  reason: "unsafe_destination",
  text: "path and file would lead to an unsafe place",
};
const TOO_MANY: Refusal = {
  option: "limit",
  reason: "max_dynamic_files",
  text: "there are max_dynamic_files files already",
};

interface DynamicName {
  of(record: LogRecord, tag: string): string | undefined;
}

/** A name with record fields in it, or with the time; `undefined` for one that is always the same. */
function dynamicName(
  source: string | undefined,
  option: string,
  withTime: boolean,
): DynamicName | undefined {
  if (source === undefined) return undefined;
  const hasTime = withTime && source.includes("%");
  if (option === "path" && source.startsWith("$")) {
    throw new ConfigError("path must begin with a fixed part, before its first field", "path");
  }
  if (!hasTime) {
    if (!source.includes("$")) return undefined;
    const template = compile(source, option);
    return { of: (record, tag) => template.renderComplete(record.body, tag) };
  }
  compile(strftimeUtc(source, 0), option);
  // The second of one record is nearly always that of the record before.
  let lastSec = NaN;
  let lastText = "";
  let template: Template | undefined;
  return {
    of(record, tag) {
      if (record.sec !== lastSec) {
        lastSec = record.sec;
        const text = strftimeUtc(source, lastSec);
        if (text !== lastText || template === undefined) template = compile(text, option);
        lastText = text;
      }
      return template!.renderComplete(record.body, tag);
    },
  };
}

function compile(source: string, option: string): Template {
  try {
    return compileTemplate(source);
  } catch (error) {
    throw new ConfigError((error as Error).message, option, { cause: error });
  }
}

/** Up to the last slash in front of the first part that depends on the record. */
function baseFolder(
  config: FileConfig,
  isDynamicPath: boolean,
): { readonly text: string; readonly folder: string } {
  const path = config.path ?? ".";
  const first = isDynamicPath ? path.search(config.enable_strftime ? /[$%]/ : /\$/) : -1;
  const text = first === -1 ? path : path.slice(0, path.lastIndexOf("/", first) + 1);
  return { text, folder: resolve(text === "" ? "." : text) };
}

function fallbackPath(config: FileConfig): string | undefined {
  const needed = config.on_missing_field === "fallback" || config.on_limit_reached === "fallback";
  if (config.fallback_file !== undefined) {
    return compose(config.fallback_path, config.fallback_file);
  }
  if (needed) throw new ConfigError("a fallback needs fallback_file", "fallback_file");
  return undefined;
}

// deno-lint-ignore no-control-regex
const CONTROL = /[\0-\x1f\x7f]/;
// deno-lint-ignore no-control-regex
const NO_FILE_NAME = /[/\\:*?"<>|\0-\x1f\x7f]/;

function isSafeFolder(path: string, base: string): boolean {
  if (CONTROL.test(path)) return false;
  return !path.slice(base.length).split(/[/\\]/).some((name) => name === "." || name === "..");
}

function isSafeName(name: string): boolean {
  return name !== "" && name !== "." && name !== ".." && !NO_FILE_NAME.test(name);
}
