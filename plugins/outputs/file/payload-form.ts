import { createHash } from "node:crypto";
import type { FileConfig } from "./config.ts";
import { unusualDelimiters } from "./delimiters.ts";
import type { DynamicDestinations } from "./dynamic-destinations.ts";
import { compose } from "./static-path.ts";

/**
 * Names what a queued payload is made of, such as `csv-names`. Where records choose their files, a payload names a path
 * that may be written to only below the folder that was configured then, so the folder is part of it.
 */
export function payloadForm(config: FileConfig, dynamic: DynamicDestinations | undefined): string {
  const parts: string[] = [config.format];
  if (config.format === "csv" && config.csv_column_names) parts.push("names");
  if (config.format === "csv" || config.format === "ltsv") {
    parts.push(...unusualDelimiters(config, config.format));
  }
  if (config.format === "template") parts.push(hashOf(config.template));
  if (dynamic !== undefined) parts.push("by_record", hashOf(dynamic.base, dynamic.fallback));
  else if (config.file === undefined) parts.push("by_tag", hashOf(compose(config.path, ".")));
  return parts.join("-");
}

/** Settings of any length as a short word. */
function hashOf(...settings: readonly (string | undefined)[]): string {
  const text = JSON.stringify(settings.map((setting) => setting ?? null));
  return createHash("sha256").update(text).digest("hex").slice(0, 8);
}
