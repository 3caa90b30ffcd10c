import type { Logger } from "logcollector/plugin";
import type { FileConfig } from "./config.ts";

export interface Delimiters {
  readonly delimiter: string;
  readonly label: string;
}

const DELIMITERS: ReadonlyMap<string, string> = new Map([
  ["\\t", "\t"],
  ["\t", "\t"],
  ["tab", "\t"],
  ["space", " "],
  ["comma", ","],
]);

/** Fluent Bit knows delimiters by name and takes its own for any other. */
export function delimiters(
  config: FileConfig,
  log: Logger,
  delimiter: string,
  label: string,
): Delimiters {
  const named = (option: "delimiter" | "label_delimiter", usual: string): string => {
    const name = config[option];
    if (name === undefined) return usual;
    const found = DELIMITERS.get(name.toLowerCase());
    if (found === undefined && name !== usual) {
      log.warn(`Ignored ${option} ${JSON.stringify(name)}: it must be tab, space or comma`);
    }
    return found ?? usual;
  };
  return {
    delimiter: named("delimiter", delimiter),
    label: named("label_delimiter", label),
  };
}
