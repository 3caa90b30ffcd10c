import type { FieldValue } from "logcollector/plugin";

/** The value in its new type, `undefined` when it has no place there. */
export type Convert = (value: FieldValue) => FieldValue | undefined;

/** What a rule expects to find. */
export type SourceType = "string" | "int" | "uint" | "float";

const TYPES = ["int", "uint", "float", "hex", "string", "bool"] as const;
type TargetType = typeof TYPES[number];

const ALSO: Readonly<Record<string, TargetType>> = { integer: "int", boolean: "bool" };

/** Finds the conversion; the target's name may be cut short, as in `str`. */
export function converterFor(source: SourceType, typeName: string): Convert {
  const lower = typeName.toLowerCase();
  const target = TYPES.find((type) => type.startsWith(lower)) ?? ALSO[lower];
  if (target === undefined) {
    throw new RangeError(`unknown type "${typeName}": expected one of ${TYPES.join(", ")}`);
  }
  // Fluent Bit takes rules that can never succeed, such as int to int.
  return CONVERSIONS[source][target] ?? (() => undefined);
}

const CONVERSIONS: Readonly<Record<SourceType, Partial<Record<TargetType, Convert>>>> = {
  string: {
    int: onText((text) => textToInteger(text, /^\s*([+-]?)(\d+)/, saturate)),
    uint: onText((text) => textToInteger(text, /^\s*([+-]?)(\d+)/, wrap)),
    hex: onText((text) => textToInteger(text, /^\s*([+-]?)(?:0x)?([\da-f]+)/i, wrap, "0x")),
    float: onText(textToFloat),
    bool: onText((text) => /^true/i.test(text) ? true : /^false/i.test(text) ? false : undefined),
  },
  int: {
    string: onInteger(String),
    float: onInteger(Number),
    uint: onInteger((value) => narrow(BigInt.asUintN(64, BigInt(value)))),
  },
  uint: {
    string: onInteger((value) => String(BigInt.asUintN(64, BigInt(value)))),
    float: onInteger((value) => Number(BigInt.asUintN(64, BigInt(value)))),
    int: onInteger((value) => narrow(BigInt.asIntN(64, BigInt(value)))),
  },
  float: {
    string: onFloat(floatText),
    int: onFloat((value) => narrow(BigInt.asIntN(64, BigInt(Math.trunc(value))))),
    uint: onFloat((value) => narrow(BigInt.asUintN(64, BigInt(Math.trunc(value))))),
  },
};

function onText(convert: (text: string) => FieldValue | undefined): Convert {
  return (value) => typeof value === "string" ? convert(value) : undefined;
}

function onInteger(convert: (value: number | bigint) => FieldValue): Convert {
  return (value) =>
    typeof value === "bigint" || Number.isInteger(value)
      ? convert(value as number | bigint)
      : undefined;
}

/** A whole number counts too: nothing tells 2.0 from 2 here. */
function onFloat(convert: (value: number) => FieldValue): Convert {
  return (value) =>
    typeof value === "number" && Number.isFinite(value) ? convert(value) : undefined;
}

/** The digits at the start of the text. None, and zero too, are failures, as C's strtol tells no difference. */
function textToInteger(
  text: string,
  form: RegExp,
  fit: (value: bigint) => bigint,
  prefix = "",
): FieldValue | undefined {
  const found = form.exec(text);
  if (found === null) return undefined;
  const size = BigInt(prefix + found[2]!);
  const value = fit(found[1] === "-" ? -size : size);
  return value === 0n ? undefined : narrow(value);
}

const MAX_INT64 = 2n ** 63n - 1n;

function saturate(value: bigint): bigint {
  if (value > MAX_INT64) return MAX_INT64;
  return value < -MAX_INT64 - 1n ? -MAX_INT64 - 1n : value;
}

function wrap(value: bigint): bigint {
  const max = 2n ** 64n - 1n;
  return value > max || value < -max ? max : BigInt.asUintN(64, value);
}

/** The number at the start of the text, 0 when there is none. */
function textToFloat(text: string): FieldValue | undefined {
  const value = Number.parseFloat(text);
  if (Number.isNaN(value)) return 0;
  return Number.isFinite(value) ? value : undefined;
}

/** As C's printf has it: `%.1f` for a whole number, `%.16g` for any other. */
function floatText(value: number): string {
  if (Number.isInteger(value) && Math.abs(value) < 2 ** 63) return value.toFixed(1);
  const [mantissa, exponent] = value.toExponential(15).split("e") as [string, string];
  const power = Number(exponent);
  const trimmed = (text: string): string => text.includes(".") ? text.replace(/\.?0+$/, "") : text;
  if (power >= -4 && power < 16) return trimmed(value.toFixed(Math.max(0, 15 - power)));
  const sign = power < 0 ? "-" : "+";
  return `${trimmed(mantissa)}e${sign}${String(Math.abs(power)).padStart(2, "0")}`;
}

/** An integer that a number holds exactly becomes one. */
function narrow(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}
