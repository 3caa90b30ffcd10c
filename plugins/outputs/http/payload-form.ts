import type { HttpConfig } from "./config.ts";

/**
 * Names what a queued payload is made of, such as `json_lines-gzip`. What only names fields (`json_date_key`, the keys
 * of gelf) is not part of it: a payload that was made with the old names is delivered as it would have been.
 */
export function payloadForm(config: HttpConfig): string {
  // Compressed when it is sent, and always apart by tag.
  if (config.body_key !== undefined) return "request_per_record";
  const parts: string[] = [config.format];
  if (config.compress !== undefined) parts.push(config.compress);
  // Without header_tag a payload holds the records of all tags, and knows none of them.
  if (config.header_tag !== undefined) parts.push("by_tag");
  return parts.join("-");
}
