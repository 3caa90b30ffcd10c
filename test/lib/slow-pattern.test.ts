import { describe, expect, test } from "bun:test";
import { isSlowPattern } from "../../src/lib/slow-pattern.ts";
import { LANGUAGE_RULES } from "../../src/lib/multiline/language-rules.ts";
import { SHIPPED_PARSERS } from "../../src/loader/shipped-parsers.ts";

describe("isSlowPattern", () => {
  for (
    const pattern of [
      "(a+)+$",
      "^(\\w+\\s?)*$",
      "^(?<all>(?:[a-z]|\\w)+)$",
      "^(\\d*)*x",
      "(?:a|aa)+$",
      "^([a-zA-Z0-9._-]+\\.?)+@",
      "(?:[[:alpha:]]*)*1",
      "(x{2,3}){4,}y",
      "^((\\S+ ?)+:)",
      "(?:.*,?)+$",
    ]
  ) {
    test(`finds ${pattern}`, () => expect(isSlowPattern(pattern)).toBe(true));
  }

  for (
    const pattern of [
      "a+b+",
      "(\\w+\\s)*$",
      "(?:\\d{1,3}\\.){3}\\d{1,3}",
      '"((?:[^"\\\\]|\\\\.)*)"',
      "^(?:[^,]*,)*$",
      "(?<time>[^ ]* [^ ]*)+",
      "^(a+){1,3}$",
      "(?>a+)+$",
      "(?:ab|cd)*",
      "(a)\\1+",
      "(?i)(x|y)+",
      "(?=a+)+b",
      "(unclosed",
      "[a(]+)*",
      "",
    ]
  ) {
    test(`takes ${pattern} for harmless`, () => expect(isSlowPattern(pattern)).toBe(false));
  }

  test("finds nothing in what is shipped", () => {
    const patterns = [
      ...SHIPPED_PARSERS.map((parser) => String((parser as { regex?: string }).regex ?? "")),
      ...Object.values(LANGUAGE_RULES).flatMap((rules) => rules.map(([, regex]) => regex)),
    ];
    expect(patterns.length).toBeGreaterThan(50);
    expect(patterns.filter(isSlowPattern)).toEqual([]);
  });
});
