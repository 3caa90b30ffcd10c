import { describe, expect, test } from "bun:test";
import { ConfigError } from "logcollector/plugin";
import { formatProblem } from "../../src/config/problem.ts";
import { problemOf } from "../../src/config/problem-of.ts";
import { load, mistakes, tailWith } from "./support.ts";

const keyOf = (yaml: string, env: Record<string, string> = {}, others = {}) =>
  (load(yaml, { env, others }).inputs[0]!.config as { key: string }).key;

describe("variables", () => {
  test("come from the environment, with defaults for those unset or empty", () => {
    expect(keyOf(tailWith("path: a", "key: ${K}"), { K: "v" })).toBe("v");
    expect(keyOf(tailWith("path: a", "key: a${K}b${K}c"), { K: "v" })).toBe("avbvc");
    expect(keyOf(tailWith("path: a", "key: ${K:-d}"))).toBe("d");
    expect(keyOf(tailWith("path: a", "key: ${K:-d}"), { K: "" })).toBe("d");
    expect(keyOf(tailWith("path: a", "key: x${K:-}"))).toBe("x");
    expect(keyOf(tailWith("path: a", "key: ${HOSTNAME}"))).toBe("box");
    expect(keyOf(tailWith("path: a", "key: $K ${x"))).toBe("$K ${x");
  });

  test("of the env section, map or list, beat the environment and use each other", () => {
    const yaml = `env: {A: one, B: "\${A} two"}\n${tailWith("path: a", "key: ${B}")}`;
    expect(keyOf(yaml, { A: "system" })).toBe("one two");
    const list = `env:\n  - name: A\n    value: listed\n${tailWith("path: a", "key: ${A}")}`;
    expect(keyOf(list, { A: "system" })).toBe("listed");
  });

  test("of a file lose the file's last line break", () => {
    const files = { "/run/secret": "s3cret\n" };
    const list = `env: [{name: A, uri: "file:///run/secret"}]\n${tailWith("path: a", "key: ${A}")}`;
    expect(keyOf(list, {}, files)).toBe("s3cret");
    const map = `env: {A: "file:///run/secret"}\n${tailWith("path: a", "key: ${A}")}`;
    expect(keyOf(map, {}, files)).toBe("s3cret");
  });

  test("that are not set are one mistake each, at their place", () => {
    expect(mistakes(tailWith("path: ${NOPE}", "buffer_max_size: ${NO_SIZE}"))).toEqual([
      "config.yaml:4:13: variable ${NOPE} is not set: set it, or give a default with ${NOPE:-value}",
      "config.yaml:5:24: variable ${NO_SIZE} is not set: set it, or give a default with ${NO_SIZE:-value}",
    ]);
    expect(mistakes(`service: {http_port: "\${NOPE}"}\n${tailWith("path: a")}`)).toEqual([
      "config.yaml:1:22: variable ${NOPE} is not set: set it, or give a default with ${NOPE:-value}",
    ]);
  });

  test("of a missing file, or with a wrong entry, are mistakes", () => {
    expect(
      mistakes(`env:\n  - {name: A, uri: file:///none}\n  - {name: B}\n${tailWith("path: a")}`),
    )
      .toEqual([
        'config.yaml:2:20: variable "A" cannot be read from /none: it does not exist',
        'config.yaml:3:5: an entry of "env" needs a name, and a value or uri',
      ]);
  });
});

describe("secrets", () => {
  const http = (...options: string[]) =>
    `pipeline:\n  inputs: [{name: dummy}]\n  outputs:\n    - name: http\n${
      options.map((option) => `      ${option}\n`).join("")
    }`;

  test("are not in a message about an option whose name tells, or whose value is a variable's", () => {
    const env = { PORT: "hunter2" };
    const lines = mistakes(
      http("http_passwd: verysecret", "port: ${PORT}", "header: Bearer-abcdef", "alias: ${PORT}"),
      { env },
    );
    expect(lines).toEqual([
      'config.yaml:5:20: option "http_passwd" of output "http": expected text; what was given is not shown: ***',
      'config.yaml:6:13: option "port" of output "http": expected a value of type integer; what was given is not shown: ***',
      'config.yaml:7:15: option "header" of output "http": expected a value of type NAME VALUE; what was given is not shown: ***',
    ]);
  });

  test("are not in a message about an unknown plugin or a taken alias", () => {
    const env = { X: "hunter2" };
    const yaml =
      "pipeline: {inputs: [{name: '${X}'}, {name: dummy, alias: '${X}'}, {name: dummy, alias: '${X}'}], outputs: [{name: stdout}]}";
    expect(mistakes(yaml, { env }).join("\n")).not.toContain("hunter2");
    expect(mistakes(yaml, { env })).toHaveLength(2);
  });

  test("are taken out of what a plugin says about its options", () => {
    const config = load(http("http_passwd: pw'\"", "host: ${HOST}"), {
      env: { HOST: "inner.host" },
    });
    const output = config.outputs[0]!;
    const error = new ConfigError(`cannot use inner.host with ${JSON.stringify("pw'\"")}`, "host");
    expect(formatProblem(problemOf(output, error))).toBe(
      'config.yaml:6:13: option "host" of output "http": cannot use *** with "***"',
    );
    expect(formatProblem(problemOf(output, new TypeError("x is not a function")))).toBe(
      'config.yaml:4:7: output "http": cannot be set up: x is not a function',
    );
  });

  test("are taken out of what setting up a parser says", () => {
    const yaml = `parsers: [{name: p, format: json}]\n${tailWith("path: a")}`;
    const parser = load(yaml).parsers[0]!;
    expect(formatProblem(problemOf(parser, new ConfigError("no such format", "format")))).toBe(
      'config.yaml:1:29: option "format" of parser "p": no such format',
    );
  });

  test("are not in a message about YAML that cannot be read", () => {
    for (
      const yaml of ["a: 'hunter2\n", "hunter2: *hunter2\n", "a: [hunter2\n", "a: !x hunter2: y\n"]
    ) {
      expect(mistakes(yaml).join("\n")).not.toContain("*hunter2");
      expect(mistakes(yaml).length).toBeGreaterThan(0);
    }
  });
});
