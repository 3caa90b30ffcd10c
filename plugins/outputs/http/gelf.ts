import { type Body, type FieldValue, isBody, type LogRecord, setField } from "logcollector/plugin";
import type { HttpConfig } from "./config.ts";

/** Makes a GELF message of a record. Throws Error for one that GELF has no place for. */
export function gelfMessage(config: HttpConfig): (record: LogRecord) => Body {
  const names = new Map<string, string>([
    [config.gelf_level_key, "level"],
    [config.gelf_timestamp_key, "timestamp"],
    [config.gelf_short_message_key, "short_message"],
    [config.gelf_full_message_key, "full_message"],
    [config.gelf_host_key, "host"],
  ]);
  return ({ sec, nsec, body }) => {
    const message: Body = { version: "1.1" };
    const found = new Set<string>();
    for (const key in body) {
      const known = names.get(key);
      if (known !== undefined) found.add(known);
      // The receivers keep `_id` for themselves.
      else if (key === "id") continue;
      const value = known === "level" ? level(body[key]!) : body[key]!;
      if (value === null) continue;
      if (isBody(value)) flatten(message, `_${clean(known ?? key)}`, value);
      else setField(message, known ?? `_${clean(key)}`, scalar(value));
    }
    if (!found.has("timestamp")) message["timestamp"] = sec + Math.floor(nsec / 1e6) / 1000;
    if (!found.has("short_message")) {
      throw new Error(`Cannot make a GELF message: no field ${config.gelf_short_message_key}`);
    }
    return message;
  };
}

const LEVELS = ["emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"];

function level(value: FieldValue): FieldValue {
  if (typeof value === "string") {
    if (/^[0-7]$/.test(value)) return Number(value);
    const number = LEVELS.indexOf(value.toLowerCase());
    return number === -1 ? value : number;
  }
  const isCount = typeof value === "bigint" || Number.isInteger(value);
  if (isCount && (value as number) >= 0) return value;
  throw new Error("Cannot make a GELF message: level is neither a whole number nor text");
}

/** A nested map becomes fields of its own, named after the way to them. */
function flatten(message: Body, prefix: string, map: Body): void {
  for (const key in map) {
    const value = map[key]!;
    const name = `${prefix}_${clean(key)}`;
    if (isBody(value)) flatten(message, name, value);
    else setField(message, name, value === null ? null : scalar(value));
  }
}

function scalar(value: Exclude<FieldValue, null | Body>): FieldValue {
  if (typeof value === "boolean") return String(value);
  return Array.isArray(value) ? value.map(itemText).join(", ") : value;
}

/** What is inside an array becomes text, since GELF has no arrays. */
function itemText(value: FieldValue): string {
  if (Array.isArray(value)) return value.map(itemText).join(", ");
  if (isBody(value)) return pairs("", value).join(" ");
  if (value instanceof Uint8Array) return Buffer.from(value).toString();
  if (typeof value === "number" && !Number.isInteger(value)) return value.toFixed(6);
  return String(value);
}

function pairs(prefix: string, map: Body): string[] {
  return Object.entries(map).flatMap(([key, value]) =>
    isBody(value)
      ? pairs(`${prefix}${clean(key)}_`, value)
      : [`${prefix}${clean(key)}=${itemText(value)}`]
  );
}

/** One underscore for each byte that a name must not hold. */
function clean(name: string): string {
  return name.replace(/[^A-Za-z0-9._-]/gu, (c) => "_".repeat(Buffer.byteLength(c)));
}
