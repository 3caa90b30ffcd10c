import { expect, setDefaultTimeout, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import fc from "fast-check";
import { Problems } from "../../src/config/problem.ts";
import { readAnyYaml } from "../../src/config/read-any-yaml.ts";
import { readPlainYaml } from "../../src/config/read-plain-yaml.ts";

const RUNS = Number(process.env["RUNS"] ?? 1);
setDefaultTimeout(30_000 * RUNS);

/** What the library makes of a text, or `undefined` where it reports a mistake. */
function byLibrary(text: string): unknown {
  const problems = new Problems();
  const node = readAnyYaml(text, "c.yaml", problems);
  return problems.count === 0 ? node : undefined;
}

const SCALARS = [
  ..."a|tail|0123|1.5|true|null|~|yes|-1|--x|/var/log/*.log|127.0.0.1:80|http://h:1/p|a b  c|a#b"
    .split("|"),
  ..."k8s.*|$A ${B}|a,b|{a}|[x]|x]y|a:|a: b|a : b|: a|:a|?|? a|?a|-|- a|#|# a|a # b|a #b|'|\"|*|*a"
    .split("|"),
  ..."&a b|!t b|!!str b|%a|@a|`a`|>|>-|< a|<<|=|a=b|'it''s'|'a' b|\"a\" # b|\"a\"#b|'a: b'|''|\"\""
    .split("|"),
  ...'"a\\nb"|"a\'b"|\'a"b\'|\' a \'|" a # b "|\\d+|(?<a>[^ ]+)|a"b|a\'b|é|a\tb|a\u00a0b|---|...'
    .split("|"),
  "|",
  "|-",
];
const FLOWS = [
  ..."{}|[]|{ a: b }|{a: b, c: d}|[a, b]|[a,b]|{a: [b, {c: d}], e: 'f, g'}|{a: b,}|[a,]|{a}|{a:b}"
    .split("|"),
  ..."{a: }|{a:}|{ }|[ ]|[a: b]|[[a]]|{a: b} c|{a: b} # c|{a: b}#c|{a: b|[a|{a: \"b\" , c: 'd'}|{'a': b}"
    .split("|"),
  ..."{a: b #c}|{ a : b }|{a: -1}|{a: - }|[-]|[- a]|{a: b: c}|{a: b:}|{a: b:c}|{a: {}, b: []}|{ <<: a }"
    .split("|"),
  ..."{name: tail, path: /a/*.log, tag: k.*}|{a: x[y]}|{a: x{y}|[a b, c  d ]|{ a: 'x'y }|{a: *b}|[,]|[a,,b]"
    .split("|"),
];
const KEYS = [
  "a",
  "Name",
  "tls.verify",
  "a-b",
  "_x",
  "<<",
  "'q'",
  "é",
  "1a",
  "a b",
  "?",
  "k".repeat(101),
];

const value = fc.oneof(fc.constantFrom(...SCALARS), fc.constantFrom(...FLOWS));
const line = fc.tuple(
  fc.nat({ max: 6 }),
  fc.constantFrom("", "", "", "- ", "-", "-  ", "- - "),
  fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(...KEYS.slice(0, 5)) },
    fc.constantFrom(...KEYS),
  ),
  fc.constantFrom(": ", ": ", ":", ":  ", " : ", ""),
  fc.option(value, { nil: "" }),
  fc.constantFrom(
    "",
    "",
    "",
    "",
    " ",
    " # c",
    "#c",
    "\n",
    "\n# c",
    "\n# ç…\u2028",
    "\n  ",
    "\n\u00a0",
    "\r",
  ),
).map(([indent, dash, key, colon, text, end]) =>
  " ".repeat(indent) + dash + key + colon + text + end
);

test("whatever is read without the library is what the library reads", () => {
  let plain = 0;
  fc.assert(
    fc.property(fc.array(line, { maxLength: 5 }), (lines) => {
      const text = lines.join("\n");
      const node = readPlainYaml(text, "c.yaml");
      if (node === undefined) return;
      plain++;
      expect(node).toEqual(byLibrary(text) as typeof node);
    }),
    { numRuns: 20_000 * RUNS },
  );
  expect(plain).toBeGreaterThan(200);
});

/** A configuration, written in the ways that people write them. */
const written = fc.letrec<{ map: string[]; list: string[]; entry: string[] }>((tie) => ({
  map: fc.array(tie("entry"), { minLength: 1, maxLength: 4 }).map((all) => all.flat()),
  list: fc.array(
    fc.oneof(
      { maxDepth: 4 },
      fc.constantFrom(...plainTexts()).map((text) => [text]),
      tie("map"),
    ),
    { minLength: 1, maxLength: 3 },
  ).map((items) =>
    items.flatMap((lines) =>
      lines.map((text, i) => (i === 0 ? "- " : text === "" ? "" : "  ") + text)
    )
  ),
  entry: fc.tuple(
    fc.constantFrom(...KEYS.slice(0, 5)),
    fc.constantFrom("", " # c"),
    fc.oneof(
      { maxDepth: 4 },
      fc.constantFrom(...plainTexts()),
      fc.tuple(fc.integer({ min: 1, max: 4 }), tie("map")).map(([n, lines]) => shifted(lines, n)),
      fc.tuple(fc.nat({ max: 4 }), tie("list")).map(([n, lines]) => shifted(lines, n)),
    ),
    fc.constantFrom("", "", "", "# a comment"),
  ).map(([key, comment, inner, below]) => [
    ...typeof inner === "string" ? [`${key}: ${inner}${comment}`] : [`${key}:${comment}`, ...inner],
    ...below === "" ? [] : ["", below],
  ]),
}));

function plainTexts(): string[] {
  return [...SCALARS, ...FLOWS].filter((text) =>
    readPlainYaml(`k: ${text} # c\n`, "c.yaml") !== undefined
  );
}

function shifted(lines: readonly string[], n: number): string[] {
  return lines.map((text) => text === "" ? "" : " ".repeat(n) + text);
}

test("usual configurations are read without the library", () => {
  fc.assert(
    fc.property(written.map, (lines) => {
      const text = lines.join("\n") + "\n";
      const node = readPlainYaml(text, "c.yaml");
      expect(node).toBeDefined();
      expect(node).toEqual(byLibrary(text) as NonNullable<typeof node>);
    }),
    { numRuns: 1000 * RUNS },
  );
  expect(plainTexts().length).toBeGreaterThan(40);
});

const examples = readdirSync("config", { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".yaml"));
const own = examples.filter((name) => !name.startsWith("kubernetes/"));

test.each(examples)("config/%s reads the same without the library, if it does", (name) => {
  const text = readFileSync(`config/${name}`, "utf8");
  const node = readPlainYaml(text, "c.yaml");
  if (node !== undefined) expect(node).toEqual(byLibrary(text) as typeof node);
});

test("most of the examples need no library", () => {
  const needing = own.filter((name) =>
    readPlainYaml(readFileSync(`config/${name}`, "utf8"), "c.yaml") === undefined
  );
  expect(needing.length).toBeLessThan(own.length / 10);
});
