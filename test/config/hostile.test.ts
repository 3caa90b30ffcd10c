import { describe, expect, setDefaultTimeout, test } from "bun:test";
import fc from "fast-check";
import { mistakes, tailWith } from "./support.ts";

// Without limits some of these would take hours, or all memory.
setDefaultTimeout(60_000);

/** Aliases of aliases: a few lines that unfold to billions of values. */
function bomb(levels: number): string {
  const lines = ["a0: &a0 [x, x]"];
  for (let i = 1; i < levels; i++) {
    lines.push(`a${i}: &a${i} [${Array(9).fill(`*a${i - 1}`).join(", ")}]`);
  }
  return lines.join("\n");
}

const HOSTILE: readonly (readonly [string, string, string])[] = [
  ["a bomb of aliases", bomb(20), "aliases unfold to too many values"],
  ["an anchor inside itself", "a: &a [*a]", "nesting is deeper than 64 levels"],
  ["brackets without end", "a: " + "[".repeat(500_000), "nesting is deeper than 64 levels"],
  ["lists without end", "- ".repeat(300_000), "nesting is deeper than 64 levels"],
  [
    "maps without end",
    Array.from({ length: 1000 }, (_, i) => `${" ".repeat(i)}a:`).join("\n"),
    "nesting is deeper than 64 levels",
  ],
  ["values without end", "a: b\n".repeat(150_000), "the file holds too many values"],
  ["a huge file", "#".repeat(3_000_000), "file is larger than 1024 KiB"],
  ["a file that is not text", "a: \0\0\x01", "this is not a text file"],
  ["a tab", "service:\n\tflush: 1\n", "not valid YAML: a tab cannot indent YAML: use spaces"],
  ["two documents", "a: b\n---\nc: d\n", "only one YAML document is allowed in a file"],
  ["a list", "- a\n", "expected sections such as `pipeline:` at the top of the file"],
  ["text", "hello\n", "expected sections such as `pipeline:` at the top of the file"],
  ["a key that is a list", "? [a, b]\n: c\n", "a key must be plain text"],
  [
    "an alias of nothing",
    "a: *b\n",
    "an unquoted * is an alias in YAML, and no anchor has its name: put the value in quotes, as in match: '*'",
  ],
];

describe("fault 53: loadConfig refuses, and does not work on it for ever,", () => {
  for (const [name, yaml, message] of HOSTILE) {
    test(name, () => {
      const lines = mistakes(yaml);
      expect(lines).toHaveLength(1);
      expect(lines[0]).toEndWith(`: ${message}`);
    });
  }
});

const OPTIONS = [
  "refresh_interval",
  "buffer_max_size",
  "read_from_head",
  "multiline.parser",
  "mem_buf_limit",
];

test("any typo in an option's name gives one line with the name that was meant", () => {
  const typo = fc.record({
    option: fc.constantFrom(...OPTIONS),
    at: fc.nat(8),
    kind: fc.constantFrom("drop", "swap", "add", "change"),
  }).map(({ option, at, kind }) => {
    const [head, letter, rest] = [option.slice(0, at), option[at]!, option.slice(at + 1)];
    if (kind === "drop") return { option, written: head + rest };
    if (kind === "add") return { option, written: `${head}q${letter}${rest}` };
    if (kind === "change") return { option, written: `${head}q${rest}` };
    return { option, written: head + (rest[0] ?? "") + letter + rest.slice(1) };
  }).filter(({ option, written }) => option !== written);
  fc.assert(fc.property(typo, ({ option, written }) => {
    expect(mistakes(tailWith("path: a", `${written}: 1`))).toEqual([
      `config.yaml:5:7: unknown option "${written}" of input "tail": did you mean "${option}"?`,
    ]);
  }));
});

test("no text makes loadConfig throw, and every problem has one line and a place", () => {
  const piece = fc.oneof(
    fc.string(),
    fc.constantFrom(
      ...[
        "pipeline",
        "inputs",
        "name",
        "tail",
        "${A",
        "}",
        ": ",
        "- ",
        "\n",
        "\n  ",
        "[",
        "]",
        "{",
        "}",
        "&a ",
        "*a",
      ],
      ...[
        "<<: ",
        '"',
        "'",
        "|\n",
        "> ",
        "!!int ",
        "? ",
        "\t",
        "# ",
        "env",
        "parsers",
        "includes",
        "---",
        "\r\n",
        "~",
      ],
    ),
  );
  const text = fc.array(piece, { maxLength: 40 }).map((pieces) => pieces.join(""));
  fc.assert(
    fc.property(text, (yaml) => {
      const lines = mistakes(yaml);
      expect(lines.length).toBeGreaterThan(0);
      for (const line of lines) expect(line).toMatch(/^[^\n]+: [^\n]+$/);
    }),
    { numRuns: 2000 },
  );
});

test("no value makes loadConfig throw, whatever the option", () => {
  const value = fc.json({ maxDepth: 3 });
  const option = fc.constantFrom(
    "path",
    "key",
    "buffer_max_size",
    "tag",
    "alias",
    "name",
    "match",
    "log_level",
  );
  fc.assert(fc.property(option, value, (name, json) => {
    const lines = mistakes(
      `pipeline: {inputs: [{name: tail, path: a, ${name}: ${json}}], outputs: [{name: stdout}]}`,
    );
    for (const line of lines) expect(line).toMatch(/^config\.yaml:\d+:\d+: [^\n]+$/);
  }));
});
