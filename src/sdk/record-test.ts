import type { Pattern } from "../lib/pattern.ts";
import type { Accessor } from "../lib/record-accessor.ts";
import { FieldQuestion } from "./field-question.ts";
import type { Body, FieldValue } from "./record.ts";
import type { SelectionQuestion } from "./selection-question.ts";

/**
 * A question about a record, compiled once. One that only asks for fields is answered without making records of a batch
 * that still is bytes: see {@link keepRecords} and {@link recordEditor}.
 */
export interface RecordTest {
  /** The answer for one record. */
  test(body: Body): boolean;
  /** What {@link test} asks, in parts that are known; `undefined` when it is code. */
  readonly question?: Question | undefined;
}

export type Question =
  | FieldQuestion
  | SelectionQuestion
  | { readonly kind: "all" | "any"; readonly of: readonly Question[] }
  | { readonly kind: "not"; readonly of: Question };

/** Whether there is a field, whatever its value. */
export function fieldExists(field: Accessor): RecordTest {
  return ofField(field, { kind: "exists" }, () => true);
}

/** Whether a field is just this text. */
export function fieldEquals(field: Accessor, text: string): RecordTest {
  return ofField(field, { kind: "equals", text }, (value) => value === text);
}

/** Whether an expression matches a field that is text; with `booleans`, also `true` and `false` as their text. */
export function fieldMatches(
  field: Accessor,
  pattern: Pattern,
  { booleans = false }: { readonly booleans?: boolean } = {},
): RecordTest {
  const matches = booleans
    ? (value: FieldValue) =>
      typeof value === "string"
        ? pattern.test(value)
        : typeof value === "boolean" && pattern.test(String(value))
    : (value: FieldValue) => typeof value === "string" && pattern.test(value);
  return ofField(field, { kind: "matches", pattern, booleans }, matches);
}

/** Whether all of the tests say yes; yes for none. */
export function allOf(tests: readonly RecordTest[]): RecordTest {
  if (tests.length === 1) return tests[0]!;
  return {
    test(body) {
      for (let i = 0; i < tests.length; i++) if (!tests[i]!.test(body)) return false;
      return true;
    },
    question: joined("all", tests),
  };
}

/** Whether one of the tests says yes; no for none. */
export function anyOf(tests: readonly RecordTest[]): RecordTest {
  if (tests.length === 1) return tests[0]!;
  return {
    test(body) {
      for (let i = 0; i < tests.length; i++) if (tests[i]!.test(body)) return true;
      return false;
    },
    question: joined("any", tests),
  };
}

/** The opposite. */
export function not({ test, question }: RecordTest): RecordTest {
  return { test: (body) => !test(body), question: question && { kind: "not", of: question } };
}

function joined(kind: "all" | "any", tests: readonly RecordTest[]): Question | undefined {
  const of = tests.flatMap(({ question }) => question ?? []);
  return of.length === tests.length ? { kind, of } : undefined;
}

function ofField(
  field: Accessor,
  asked: FieldQuestion["asked"],
  check: (value: FieldValue) => boolean,
): RecordTest {
  const test = (body: Body): boolean => {
    const value = field.get(body);
    return value !== undefined && check(value);
  };
  return { test, question: FieldQuestion.of(field.path, asked, test) };
}
