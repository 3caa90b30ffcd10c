import { describe, expect, test } from "bun:test";
import { optionOrder } from "logcollector/plugin";
import { load, mistakes, tailWith } from "./support.ts";

describe("loadConfig reads", () => {
  test("a pipeline with ids, tags and positions", () => {
    const config = load(`
pipeline:
  inputs:
    - name: tail
      path: a
    - name: dummy
    - name: tail
      path: [b, c]
      tag: web.*
      alias: web
  filters:
    - name: grep
      match: '*'
  outputs:
    - name: stdout
      match: '*'
    - name: http
      match_regex: ^web
`);
    expect(config.inputs.map((input) => [input.id, input.common.tag])).toEqual([
      ["tail.0", "tail.0"],
      ["dummy.0", "dummy.0"],
      ["web", "web.*"],
    ]);
    expect(config.inputs[2]!.config).toMatchObject({ path: ["b", "c"], key: "log" });
    expect(config.inputs[1]!.position).toBe("config.yaml:6:7");
    expect(config.outputs[1]!.common.match_regex?.test("web.1")).toBe(true);
    expect(config.warnings).toEqual([]);
  });

  test("names, options and sections in any case", () => {
    const config = load(`
SERVICE:
  Flush: 0.5
  Log_Level: DEBUG
Pipeline:
  Inputs:
    - Name: TAIL
      Path: a,b
      Read_From_Head: On
      Multiline.Parser: docker, cri
  OUTPUTS:
    - NAME: stdout
      Format: JSON_LINES
`);
    expect(config.service).toMatchObject({ flush: 500, log_level: "debug" });
    expect(config.inputs[0]!.config).toMatchObject({
      path: ["a", "b"],
      read_from_head: true,
      "multiline.parser": ["docker", "cri"],
    });
    expect(config.outputs[0]!.config).toEqual({ format: "json_lines" });
  });

  test("units of sizes and times, and the reference's defaults", () => {
    const config = load(
      tailWith("path: a", "buffer_max_size: 5MiB", "refresh_interval: 500ms", "mem_buf_limit: 5M"),
    );
    expect(config.inputs[0]!.config).toMatchObject({
      buffer_max_size: 5_242_880,
      refresh_interval: 500,
    });
    expect(config.inputs[0]!.common.mem_buf_limit).toBe(5_000_000);
    expect(config.service).toMatchObject({
      flush: 1000,
      grace: 5000,
      http_listen: "127.0.0.1",
      http_port: 2020,
    });
  });

  test("every value as text, as Fluent Bit does", () => {
    const config = load(tailWith("path: a", "tag: 007", "key: no", "alias: 1e3"));
    expect(config.inputs[0]!.common).toMatchObject({ tag: "007", alias: "1e3" });
    expect(config.inputs[0]!.config).toMatchObject({ key: "no" });
  });

  test("plain zod numbers of a user's plugin", () => {
    const config = load(
      "pipeline:\n  inputs: [{name: dummy, rate: 3}]\n  outputs: [{name: stdout}]\n",
    );
    expect(config.inputs[0]!.config).toEqual({ rate: 3 });
  });

  test("an option by its other name", () => {
    expect(load(tailWith("path: a", "buffer_max: 64")).inputs[0]!.config)
      .toMatchObject({ buffer_max_size: 64 });
  });

  test("repeated keys and lists of a repeatable option, in the order they were written", () => {
    const config = load(`
pipeline:
  inputs: [{name: dummy}]
  filters:
    - name: grep
      match: '*'
      regex: a ^1
      exclude: b ^2
      Regex:
        - c ^3
        - d ^4
  outputs: [{name: stdout}]
`);
    const grep = config.filters[0]!.config as { regex: unknown; exclude: unknown };
    expect(grep.regex).toEqual([["a", "^1"], ["c", "^3"], ["d", "^4"]]);
    expect(grep.exclude).toEqual([["b", "^2"]]);
    expect(optionOrder(grep).map(({ option, index }) => `${option}${index}`))
      .toEqual(["regex0", "exclude0", "regex1", "regex2"]);
  });

  test("retry_limit in all its forms", () => {
    const limits = ["5", "no_limits", "False", "off", "no_retries"].map((limit) =>
      load(`pipeline: {inputs: [{name: dummy}], outputs: [{name: stdout, retry_limit: ${limit}}]}`)
        .outputs[0]!.common.retry_limit
    );
    expect(limits).toEqual([5, Infinity, Infinity, Infinity, 0]);
    expect(load(tailWith("path: a")).outputs[0]!.common.retry_limit).toBe(Infinity);
  });

  test("one input and one output as belonging together, whatever the filters", () => {
    expect(load(tailWith("path: a")).outputs[0]!.common.match).toBe("*");
    const two = load(
      "pipeline: {inputs: [{name: dummy}], outputs: [{name: stdout}, {name: http, match: x}]}",
    );
    expect(two.outputs[0]!.common.match).toBeUndefined();
    expect(two.warnings).toEqual([
      `config.yaml:1:47: output "stdout.0" has no match and gets no records: add "match: '*'" for all of them`,
    ]);
  });

  test("a BOM, CRLF line ends, comments and anchors", () => {
    const yaml = "\ufeff# top\r\nx-common: &c {path: a, key: line}\r\npipeline:\r\n  inputs:\r\n" +
      "    - name: tail\r\n      <<: *c\r\n  outputs:\r\n    - name: stdout # here\r\n";
    expect(load(yaml).inputs[0]!.config).toMatchObject({ path: ["a"], key: "line" });
  });

  test("empty sections as absent", () => {
    expect(load(`service:\nenv: ~\nparsers: null\n${tailWith("path: a")}  filters:\n`).filters)
      .toEqual([]);
  });

  test("parsers and multiline parsers, the first of a name", () => {
    const config = load(`
parsers:
  - name: one
    format: regex
    regex: ^(?<a>.)
  - name: one
    format: json
multiline_parsers:
  - name: joined
    type: regex
    rules:
      - state: start_state
        regex: /^a/
        next_state: cont
${tailWith("path: a")}`);
    expect(config.parsers.map(({ name, position }) => [name, position])).toEqual([
      ["one", "config.yaml:3:5"],
    ]);
    expect(config.multilineParsers[0]!.options).toMatchObject({
      rules: [{ state: "start_state" }],
    });
    expect(config.warnings).toEqual([
      'config.yaml:6:5: parser "one" is ignored: its name is taken at config.yaml:3:5',
    ]);
  });

  test("service options that do nothing yet, saying so", () => {
    const config = load(
      `service: {storage.trim_files: on, hot_reload: off}\n${tailWith("path: a")}`,
    );
    expect(config.warnings).toEqual([
      'config.yaml:1:11: "storage.trim_files" has no effect in this version',
    ]);
  });
});

test("a flush interval of 0 is one, and less is not", () => {
  expect(load(`service: {flush: 0}\n${tailWith("path: a")}`).service.flush).toBe(0);
  expect(() => load(`service: {flush: -1}\n${tailWith("path: a")}`)).toThrow("flush");
});

describe("loadConfig adds the command line", () => {
  const at = { file: "-f 3", line: 0, column: 0 };
  const scalar = (text: string) => ({ kind: "scalar", at, text }) as const;

  test("instead of the file's service options, behind its plugins", () => {
    const config = load(`service: {flush: 9}\n${tailWith("path: a")}`, {
      commandLine: {
        service: [{ key: "flush", at, value: scalar("3") }],
        plugins: {
          input: [],
          filter: [],
          output: [{ kind: "map", at, entries: [{ key: "name", at, value: scalar("http") }] }],
        },
      },
    });
    expect(config.service.flush).toBe(3000);
    expect(config.outputs.map((output) => output.id)).toEqual(["stdout.0", "http.0"]);
  });

  test("without a file at all", () => {
    expect(mistakes("", { path: undefined })).toEqual([
      "command line: the pipeline has no inputs and no outputs: nothing would be collected",
    ]);
  });
});
