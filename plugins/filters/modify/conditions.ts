import {
  allOf,
  compileAccessor,
  compilePattern,
  fieldEquals,
  fieldExists,
  fieldMatches,
  type FieldValue,
  not,
  type Pattern,
  type RecordTest,
} from "logcollector/plugin";
import { splitWords } from "./words.ts";

const CONDITIONS: Readonly<Record<string, (key: string, value: string) => RecordTest>> = {
  key_exists: (key) => fieldExists(compileAccessor(key)),
  key_does_not_exist: (key) => not(fieldExists(compileAccessor(key))),
  a_key_matches: aKeyMatches,
  no_key_matches: (key) => not(aKeyMatches(key)),
  key_value_equals: (key, value) => fieldEquals(compileAccessor(key), value),
  // A condition on a value fails, whatever it is, where the key is absent.
  key_value_does_not_equal: (key, value) =>
    present(key, not(fieldEquals(compileAccessor(key), value))),
  key_value_matches: valueMatches,
  key_value_does_not_match: (key, value) => present(key, not(valueMatches(key, value))),
  matching_keys_have_matching_values: matchingKeysHaveMatchingValues,
  matching_keys_do_not_have_matching_values: (key, value) =>
    not(matchingKeysHaveMatchingValues(key, value)),
};

/** Reads `KIND KEY VALUE`; half of the kinds take no value. */
export function compileCondition(text: string): RecordTest {
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

function present(key: string, test: RecordTest): RecordTest {
  return allOf([fieldExists(compileAccessor(key)), test]);
}

/** Text and booleans have a text to match; a number has none. */
function valueMatches(key: string, regex: string): RecordTest {
  return fieldMatches(compileAccessor(key), compilePattern(regex), { booleans: true });
}

function aKeyMatches(regex: string): RecordTest {
  const pattern = compilePattern(regex);
  return {
    test(body) {
      for (const key in body) if (pattern.test(key)) return true;
      return false;
    },
  };
}

/** Holds also where no key matches. */
function matchingKeysHaveMatchingValues(keyRegex: string, valueRegex: string): RecordTest {
  const keys = compilePattern(keyRegex);
  const values = compilePattern(valueRegex);
  return {
    test(body) {
      for (const key in body) {
        if (keys.test(key) && !matches(body[key]!, values)) return false;
      }
      return true;
    },
  };
}

function matches(value: FieldValue, pattern: Pattern): boolean {
  if (typeof value === "string") return pattern.test(value);
  return typeof value === "boolean" && pattern.test(String(value));
}
