import type { Body, FieldValue } from "../sdk/record.ts";

/** Makes a field's text what its type says; text that does not fit becomes 0, as in C, or stays text. */
type Cast = (text: string) => FieldValue;

const CASTS: Readonly<Record<string, Cast>> = { integer, float, bool, hex };

/**
 * Compiles `status:integer time:float` into a function that changes a body, or `undefined` when nothing is
 * typed. An unknown type means text, as in Fluent Bit.
 */
export function compileTypes(types: string | undefined): ((body: Body) => void) | undefined {
  const typed = [...typesOf(types)].map(([key, type]): [string, Cast] => [key, CASTS[type]!]);
  if (typed.length === 0) return undefined;
  return (body) => {
    for (const [key, cast] of typed) {
      const value = body[key];
      if (typeof value === "string") body[key] = cast(value);
    }
  };
}

/** The fields that have a type, and its name in lower case. */
export function typesOf(types: string | undefined): Map<string, string> {
  const named = new Map<string, string>();
  for (const word of types?.split(" ") ?? []) {
    const colon = word.indexOf(":");
    const key = word.slice(0, colon);
    if (colon > 0 && !named.has(key)) named.set(key, word.slice(colon + 1).toLowerCase());
  }
  return new Map([...named].filter(([, type]) => Object.hasOwn(CASTS, type)));
}

const MAX_INT64 = 2n ** 63n - 1n;
const MAX_UINT64 = 2n ** 64n - 1n;
/** A number of at most this many digits is exact as a double. */
const SAFE_DIGITS = 15;

function integer(text: string): number | bigint {
  const digits = /^\s*([+-]?\d+)/.exec(text)?.[1];
  if (digits === undefined) return 0;
  if (digits.length <= SAFE_DIGITS) return Number(digits) + 0;
  const exact = BigInt(digits.replace("+", ""));
  return smallest(
    exact > MAX_INT64 ? MAX_INT64 : exact < -MAX_INT64 - 1n ? -MAX_INT64 - 1n : exact,
  );
}

function hex(text: string): number | bigint {
  const match = /^\s*([+-]?)(?:0x)?([0-9a-f]+)/i.exec(text);
  if (match === null) return 0;
  const exact = BigInt(`0x${match[2]!}`);
  if (exact > MAX_UINT64) return MAX_UINT64;
  return smallest(match[1] === "-" ? BigInt.asUintN(64, -exact) : exact);
}

function float(text: string): number {
  return parseFloat(text) || 0;
}

function bool(text: string): boolean | string {
  if (/^true/i.test(text)) return true;
  if (/^false/i.test(text)) return false;
  return text;
}

function smallest(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}
