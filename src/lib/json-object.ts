export type JsonValue = string | number | bigint | boolean | null | JsonValue[] | JsonObject;
export interface JsonObject {
  [key: string]: JsonValue;
}

const OPEN_BRACE = 0x7b;
/** What is nested deeper is no log record but an attack on whatever walks through it by recursion. */
const MAX_DEPTH = 1000;

/**
 * Reads a text that is one JSON object, or returns `null`. Whole numbers that a double cannot hold become
 * `bigint`, up to 64 bits. Like Fluent Bit it takes control characters inside strings, and ignores what
 * follows the object as long as that is not JSON again. More than a thousand levels are no object. Never throws.
 */
export function parseJsonObject(text: string): JsonObject | null {
  if (text.charCodeAt(0) !== OPEN_BRACE && !text.trimStart().startsWith("{")) return null;
  let value: JsonObject;
  try {
    value = JSON.parse(text) as JsonObject;
  } catch {
    const repaired = repair(text);
    if (repaired === undefined) return null;
    text = repaired;
    value = JSON.parse(text) as JsonObject;
  }
  switch (look(value, MAX_DEPTH)) {
    case "plain":
      return value;
    case "huge number":
      return parseExactly(text);
    case "too deep":
      return null;
  }
}

/** Looks for a number beyond what a double counts exactly, or beyond all doubles, and at the depth. */
function look(
  value: JsonObject | JsonValue[],
  room: number,
): "plain" | "huge number" | "too deep" {
  if (room === 0) return "too deep";
  let found: "plain" | "huge number" = "plain";
  for (const key in value) {
    const item = (value as JsonObject)[key]!;
    if (typeof item === "number") {
      if (item > Number.MAX_SAFE_INTEGER || item < Number.MIN_SAFE_INTEGER) found = "huge number";
    } else if (typeof item === "object" && item !== null) {
      const inside = look(item, room - 1);
      if (inside === "too deep") return inside;
      if (inside !== "plain") found = inside;
    }
  }
  return found;
}

const MAX_UNSIGNED = 2n ** 64n - 1n;
const MIN_SIGNED = -(2n ** 63n);

/** The slow way, which sees the digits of every number. `null` when one is too large for a double. */
function parseExactly(text: string): JsonObject | null {
  let infinite = false;
  const value = JSON.parse(text, (_key, item: unknown, context?: { source?: string }) => {
    if (typeof item !== "number" || Number.isSafeInteger(item)) return item;
    if (!Number.isFinite(item)) infinite = true;
    const source = context?.source ?? "";
    if (!/^-?\d+$/.test(source)) return item;
    const exact = BigInt(source);
    return exact <= MAX_UNSIGNED && exact >= MIN_SIGNED ? exact : item;
  }) as JsonObject;
  return infinite ? null : value;
}

/** The object that `text` starts with, with control characters escaped; `undefined` when there is none. */
function repair(text: string): string | undefined {
  const { object, rest } = scanObject(text);
  if (object === undefined || !isJson(object) || (rest !== "" && isJson(rest))) return undefined;
  return object;
}

function scanObject(text: string): { object: string | undefined; rest: string } {
  let depth = 0;
  let inString = false;
  for (let i = 0; i < text.length; i++) {
    const c = text[i]!;
    if (inString) {
      if (c === "\\") i++;
      else if (c === '"') inString = false;
    } else if (c === '"') inString = true;
    else if (c === "{" || c === "[") depth++;
    else if ((c === "}" || c === "]") && --depth === 0) {
      return { object: escapeControls(text.slice(0, i + 1)), rest: text.slice(i + 1).trim() };
    }
  }
  return { object: undefined, rest: "" };
}

/** Control characters are allowed between values only; inside strings they become escapes. */
function escapeControls(object: string): string {
  return object.replace(/"(?:[^"\\]|\\[^])*"/g, (string) =>
    // deno-lint-ignore no-control-regex
    string.replace(/[\0-\x1f]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`));
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
