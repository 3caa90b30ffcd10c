import { describe, expect, test } from "bun:test";
import { closest, suggestion } from "../../src/lib/closest.ts";

describe("closest", () => {
  const words = ["path", "path_key", "exclude_path", "read_from_head"];

  test("finds a word with a letter too many, missing, wrong or swapped, in any case", () => {
    for (const typo of ["pathh", "pth", "pith", "ptah", "PATH", "Paht"]) {
      expect(closest(typo, words)).toBe("path");
    }
    expect(closest("readfromhead", words)).toBe("read_from_head");
  });

  test("finds nothing where nothing is near", () => {
    expect(closest("colour", words)).toBeUndefined();
    expect(closest("", words)).toBeUndefined();
    expect(closest("ab", ["xy"])).toBeUndefined();
  });

  test("prefers the nearest, and the first of equals", () => {
    expect(closest("path_kex", words)).toBe("path_key");
    expect(closest("cat", ["bat", "rat"])).toBe("bat");
  });

  test("becomes a question in suggestion()", () => {
    expect(suggestion("pathh", words)).toBe(': did you mean "path"?');
    expect(suggestion("zzz", words)).toBe("");
  });
});
