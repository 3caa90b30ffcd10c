import { describe, expect, test } from "bun:test";
import { load, mistakes, tailWith } from "./support.ts";

const main = (include: string) => `includes:\n  - ${include}\n${tailWith("path: a")}`;
const filters = (name: string) =>
  `pipeline: {filters: [{name: grep, match: '*', alias: ${name}}]}\n`;

describe("includes", () => {
  test("are relative to the file that names them, and their pipelines are merged in order", () => {
    const others = {
      "conf/a.yaml": `includes: [deep/b.yaml]\n${filters("a")}`,
      "conf/deep/b.yaml": filters("b"),
    };
    expect(load(main("conf/a.yaml"), { others }).filters.map((filter) => filter.id)).toEqual([
      "b",
      "a",
    ]);
  });

  test("take patterns, each file once", () => {
    const others = { "conf/2.yaml": filters("two"), "conf/1.yaml": filters("one") };
    const config = load(main("conf/*.yaml\n  - conf/1.yaml"), { others });
    expect(config.filters.map((filter) => filter.id)).toEqual(["one", "two"]);
    expect(load(main('"none/*.yaml"')).warnings).toEqual([
      'config.yaml:2:5: no file matches "none/*.yaml"',
    ]);
  });

  test("may use variables", () => {
    const yaml = `${main('"${DIR}/a.yaml"')}env: {DIR: conf}\n`;
    expect(load(yaml, { others: { "conf/a.yaml": filters("a") } }).filters).toHaveLength(1);
  });

  test("report problems under the included file's name, files in the order of reading", () => {
    const others = { "conf/a.yaml": "pipeline:\n  filters:\n    - name: grap\n" };
    expect(mistakes(main("conf/a.yaml\nzzz: 1"), { others })).toEqual([
      'config.yaml:3:1: unknown section "zzz"',
      'conf/a.yaml:3:13: unknown filter "grap": did you mean "grep"?',
    ]);
  });

  test("that are missing name the chain of files", () => {
    expect(mistakes(main("none.yaml"))).toEqual([
      'config.yaml:2:5: cannot read "none.yaml": it does not exist',
    ]);
    expect(mistakes(main("a.yaml"), { others: { "a.yaml": "includes: [b.yaml]" } })).toEqual([
      'a.yaml:1:12: cannot read "b.yaml": it does not exist (included by config.yaml → a.yaml)',
    ]);
  });

  test("that come back to themselves name the circle", () => {
    expect(mistakes(main("config.yaml"))).toEqual([
      "config.yaml:2:5: the file includes itself: config.yaml → config.yaml",
    ]);
    const others = { "a.yaml": "includes: [b.yaml]", "b.yaml": "includes: [./a.yaml]" };
    expect(mistakes(main("a.yaml"), { others })).toEqual([
      "b.yaml:1:12: the file includes itself: config.yaml → a.yaml → b.yaml → a.yaml",
    ]);
  });

  test("of a main file that is not there", () => {
    expect(mistakes("", { path: "other.yaml" })).toEqual([
      "other.yaml: cannot read the file: it does not exist",
    ]);
  });
});

const CLASSIC_PARSERS = `# parsers
[PARSER]
    Name   mine
    Format regex
    Regex  ^(?<a>[^ ]*) (?<b>.*)$

[MULTILINE_PARSER]
    name joined
    type regex
    rule "start_state" "/^\\d/" "cont"
    rule "cont" "/^ +at/" "cont"
`;

describe("parsers_file", () => {
  test("reads classic and YAML files beside the configuration, then in the working directory", () => {
    const others = {
      "etc/config.yaml": "",
      "etc/p.conf": CLASSIC_PARSERS,
      "q.yaml": "parsers: [{name: q, format: json}]",
    };
    const yaml = `service: {parsers_file: [p.conf, q.yaml]}\n${tailWith("path: a")}`;
    const config = load(yaml, {
      path: "etc/config.yaml",
      others: { ...others, "etc/config.yaml": yaml },
    });
    expect(config.parsers.map(({ name, position }) => `${name} ${position}`)).toEqual([
      "mine etc/p.conf:2:1",
      "q q.yaml:1:11",
    ]);
    expect(config.multilineParsers[0]!.options).toMatchObject({
      rules: [{ state: "start_state", next_state: "cont" }, { state: "cont" }],
    });
  });

  test("may be given several times", () => {
    const others = { "p.conf": CLASSIC_PARSERS, "q.conf": "[PARSER]\n  Name q\n  Format json\n" };
    const yaml = `service:\n  parsers_file: p.conf\n  Parsers_File: q.conf\n${tailWith("path: a")}`;
    expect(load(yaml, { others }).parsers.map((parser) => parser.name)).toEqual(["mine", "q"]);
  });

  test("reports mistakes in a classic file at their lines", () => {
    const others = {
      "p.conf":
        "[PARSER]\n  Name p\n  Format json\n  Foo bar\n[MULTILINE_PARSER]\n  name m\n  rule x\n[FOO]\n  a b\n",
    };
    expect(mistakes(`service: {parsers_file: p.conf}\n${tailWith("path: a")}`, { others })).toEqual(
      [
        'p.conf:4:3: unknown option "Foo" of parser "p"',
        'p.conf:7:3: a rule is "state" "regex" "next state", each in double quotes',
        'p.conf:8:1: unknown section "[FOO]"',
      ],
    );
  });

  test("that is missing, or holds a pipeline, is a mistake", () => {
    expect(mistakes(`service: {parsers_file: none.conf}\n${tailWith("path: a")}`)).toEqual([
      'config.yaml:1:25: cannot read "none.conf": it does not exist',
    ]);
    expect(
      mistakes(`service: {parsers_file: p.yaml}\n${tailWith("path: a")}`, {
        others: { "p.yaml": filters("f") },
      }),
    ).toEqual([
      'p.yaml:1:22: a parsers file may hold only parsers: use "includes" for anything else',
    ]);
  });
});

test("a classic main file is read too", () => {
  const conf = `@SET KEY=line
[SERVICE]
    Flush 2
[INPUT]
    Name tail
    Path a
    Key  \${KEY}
@INCLUDE more.conf
[OUTPUT]
    Name stdout
    Match *
`;
  const config = load("", {
    path: "main.conf",
    others: {
      "main.conf": conf,
      "more.conf": "[FILTER]\n  Name grep\n  Match *\n  Regex a b\n  Regex c d\n",
    },
  });
  expect(config.service.flush).toBe(2000);
  expect(config.inputs[0]!.config).toMatchObject({ key: "line" });
  expect(config.filters[0]!.config).toMatchObject({ regex: [["a", "b"], ["c", "d"]] });
});
