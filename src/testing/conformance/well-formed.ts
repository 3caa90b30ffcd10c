import type { LogRecord } from "../../sdk/record.ts";

const MAX_DEPTH = 100;

/** What is wrong with a record that a plugin made; `undefined` when nothing is. */
export function recordProblem(record: unknown): string | undefined {
  if (typeof record !== "object" || record === null) return `a record is ${describe(record)}`;
  const { sec, nsec, body, metadata } = record as Partial<LogRecord>;
  if (!Number.isSafeInteger(sec)) return `a record's sec is ${describe(sec)}, not a whole number`;
  if (!Number.isInteger(nsec) || nsec! < 0 || nsec! > 999_999_999) {
    return `a record's nsec is ${describe(nsec)}, not a whole number from 0 to 999999999`;
  }
  return bodyProblem(body, "body") ??
    (metadata === undefined ? undefined : bodyProblem(metadata, "metadata"));
}

/** What is wrong with fields that a plugin made. */
export function bodyProblem(body: unknown, path: string): string | undefined {
  if (typeof body !== "object" || body === null || Array.isArray(body)) {
    return `${path} is ${describe(body)}, not an object with fields`;
  }
  return valueProblem(body, path, 0);
}

function valueProblem(value: unknown, path: string, depth: number): string | undefined {
  if (value === null || ["string", "number", "bigint", "boolean"].includes(typeof value)) return;
  if (value instanceof Uint8Array) return;
  if (depth > MAX_DEPTH) return `${path} is nested deeper than ${MAX_DEPTH} levels, or in a circle`;
  if (!Array.isArray(value) && !isPlainObject(value)) {
    return `${path} is ${
      describe(value)
    }; a field is text, a number, true or false, null, bytes, a list or a map`;
  }
  for (const [key, item] of Object.entries(value as object)) {
    const problem = valueProblem(item, `${path}.${key}`, depth + 1);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function isPlainObject(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function describe(value: unknown): string {
  if (typeof value === "object" && value !== null) {
    return `a ${value.constructor?.name ?? "object"}`;
  }
  return typeof value === "function" ? "a function" : String(value);
}
