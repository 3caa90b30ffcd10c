import {
  type Body,
  compileAccessor,
  compilePattern,
  type FieldValue,
  type Pattern,
} from "logcollector/plugin";
import { splitWords } from "./words.ts";

/** True for a record that the rules apply to. */
export type Condition = (body: Body) => boolean;

const CONDITIONS: Readonly<Record<string, (key: string, value: string) => Condition>> = {
  key_exists: keyExists,
  key_does_not_exist: (key) => not(keyExists(key)),
  a_key_matches: aKeyMatches,
  no_key_matches: (key) => not(aKeyMatches(key)),
  key_value_equals: (key, value) => keyValue(key, (found) => found === value),
  key_value_does_not_equal: (key, value) => keyValue(key, (found) => found !== value),
  key_value_matches(key, value) {
    const pattern = compilePattern(value);
    return keyValue(key, (found) => matches(found, pattern));
  },
  key_value_does_not_match(key, value) {
    const pattern = compilePattern(value);
    return keyValue(key, (found) => !matches(found, pattern));
  },
  matching_keys_have_matching_values: matchingKeysHaveMatchingValues,
  matching_keys_do_not_have_matching_values: (key, value) =>
    not(matchingKeysHaveMatchingValues(key, value)),
};

/** Reads `KIND KEY VALUE`; half of the kinds take no value. */
export function compileCondition(text: string): Condition {
  const [kind, key, value] = splitWords(text, "CONDITION KEY [VALUE]", 2, 3);
  const make = Object.hasOwn(CONDITIONS, kind!.toLowerCase())
    ? CONDITIONS[kind!.toLowerCase()]
    : undefined;
  if (make === undefined) {
    throw new RangeError(
      `unknown condition "${kind}": expected one of ${Object.keys(CONDITIONS).join(", ")}`,
    );
  }
  if (value === undefined && /match/i.test(kind!) && make.length > 1) {
    throw new RangeError(`condition "${kind}" needs a regex after the key, got "${text}"`);
  }
  return make(key!, value ?? "");
}

function keyExists(key: string): Condition {
  return keyValue(key, () => true);
}

/** A condition on a value fails, whatever it is, where the key is absent. */
function keyValue(key: string, check: (value: FieldValue) => boolean): Condition {
  const accessor = compileAccessor(key);
  return (body) => {
    const value = accessor.get(body);
    return value !== undefined && check(value);
  };
}

function aKeyMatches(regex: string): Condition {
  const pattern = compilePattern(regex);
  return (body) => {
    for (const key in body) if (pattern.test(key)) return true;
    return false;
  };
}

/** Holds also where no key matches. */
function matchingKeysHaveMatchingValues(keyRegex: string, valueRegex: string): Condition {
  const keys = compilePattern(keyRegex);
  const values = compilePattern(valueRegex);
  return (body) => {
    for (const key in body) {
      if (keys.test(key) && !matches(body[key]!, values)) return false;
    }
    return true;
  };
}

/** Text and booleans have a text to match; a number has none. */
function matches(value: FieldValue, pattern: Pattern): boolean {
  if (typeof value === "string") return pattern.test(value);
  return typeof value === "boolean" && pattern.test(String(value));
}

function not(condition: Condition): Condition {
  return (body) => !condition(body);
}
