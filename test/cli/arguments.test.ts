import { describe, expect, test } from "bun:test";
import { parseArguments, type RunCommand, UsageError } from "../../src/cli/arguments.ts";
import { loadConfig } from "../../src/config/load-config.ts";
import { formatProblem } from "../../src/config/problem.ts";
import { filesOf, parserSchemas, registry } from "../config/support.ts";

function run(...args: string[]): RunCommand {
  const command = parseArguments(args);
  if (command.name !== "run") throw new Error(`expected a run, got ${command.name}`);
  return command;
}

/** What a command line without a file loads, or the lines it is refused with. */
function loaded(...args: string[]) {
  const { commandLine } = run(...args);
  const files = filesOf({ "p.conf": "[PARSER]\n Name p\n Format json\n" });
  const result = loadConfig({
    commandLine,
    registry,
    parserSchemas,
    env: {},
    hostname: "box",
    files,
  });
  return "config" in result ? result.config : result.errors.map(formatProblem);
}

describe("parseArguments", () => {
  test("takes a configuration in all spellings", () => {
    for (
      const args of [["-c", "x.yaml"], ["-cx.yaml"], ["--config", "x.yaml"], ["--config=x.yaml"]]
    ) {
      expect(run(...args)).toMatchObject({ configPath: "x.yaml", dryRun: false });
    }
    expect(run("-c", "x.yaml", "--dry-run").dryRun).toBe(true);
    expect(run("-D", "-c", "x.yaml").dryRun).toBe(true);
  });

  test("knows the other commands", () => {
    expect(parseArguments(["plugins"])).toEqual({ name: "plugins", plugin: undefined });
    expect(parseArguments(["plugins", "tail"])).toEqual({ name: "plugins", plugin: "tail" });
    for (const name of ["schema", "docs", "help", "version"] as const) {
      expect(parseArguments([name])).toEqual({ name });
    }
    expect(parseArguments(["-c", "x", "--help"])).toEqual({ name: "help" });
    expect(parseArguments(["-V"])).toEqual({ name: "version" });
  });

  test("leaves what follows a family of commands to it", () => {
    for (const name of ["plugin", "dlq", "queue"] as const) {
      expect(parseArguments([name, "list", "-c", "x"])).toEqual({
        name,
        args: ["list", "-c", "x"],
      });
    }
  });

  const WRONG: readonly (readonly [string, string])[] = [
    ["", 'nothing to do: give a configuration with -c, or see "logcollector --help"'],
    ["-c", "-c needs a value"],
    ["-i -o stdout", "-i needs a value"],
    ["-c a -c b", "-c is given twice"],
    ["--confg x", 'unknown option --confg: did you mean "--config"?'],
    ["-x", 'unknown option -x: see "logcollector --help"'],
    ["plugni", 'unknown command "plugni": did you mean "plugin"?'],
    ["-q plugin", '"plugin" must be the first argument'],
    ["-c x dlq list", '"dlq" must be the first argument'],
    ["-c x queue", '"queue" must be the first argument'],
    ["config.yaml", 'unknown command "config.yaml": see "logcollector --help"'],
    ["plugins a b", 'unexpected "b" behind "plugins"'],
    ["-p a=b", "-p a=… must follow -i, -F or -o"],
    ["-i x -p secret", '-p needs key=value, and the argument has no "="'],
    ["-i dummy -m x", '-m x must follow a filter (-F) or an output (-o), not input "dummy"'],
    ["-o stdout -t x", '-t x must follow an input (-i), not output "stdout"'],
    ["-qv -c x", "-q and -v contradict each other"],
    ["--quiet=3 -c x", "--quiet takes no value"],
    ["--daemon -c x", "--daemon is not supported in this version"],
  ];
  for (const [line, message] of WRONG) {
    test(`refuses "${line}"`, () => {
      expect(() => parseArguments(line.split(" ").filter(Boolean))).toThrow(
        new UsageError(message),
      );
    });
  }
});

describe("a pipeline on the command line", () => {
  test("has its options, tags and matches at the last plugin", () => {
    const config = loaded(
      ...[
        "-i",
        "tail",
        "-p",
        "path=a=b,c",
        "-t",
        "web",
        "-F",
        "grep",
        "-m",
        "*",
        "-p",
        "regex=a b",
      ],
      ...["-p", "Regex=c d e", "-o", "stdout", "-p", "format=json_lines", "-m", "w*", "-f", "0.5"],
      ...["-R", "p.conf", "-H", "-P", "2021", "-v"],
    );
    expect(config).toMatchObject({
      service: { flush: 500, http_server: true, http_port: 2021, log_level: "debug" },
      inputs: [{ id: "tail.0", config: { path: ["a=b", "c"] }, common: { tag: "web" } }],
      filters: [{ config: { regex: [["a", "b"], ["c", "d e"]] }, common: { match: "*" } }],
      outputs: [{ config: { format: "json_lines" }, common: { match: "w*" } }],
      parsers: [{ name: "p" }],
    });
  });

  test("needs no match for one input and one output", () => {
    expect(loaded("-i", "dummy", "-o", "stdout")).toMatchObject({
      outputs: [{ common: { match: "*" } }],
    });
  });

  test("names the argument in an error, without the value", () => {
    expect(loaded("-i", "tail", "-p", "pathh=/secret", "-o", "stdot", "-f", "soon")).toEqual([
      '-f soon: option "flush" of service: expected a time such as 5, 5s, 500ms or 2h, got "soon"',
      '-p pathh=…: unknown option "pathh" of input "tail": did you mean "path"?',
      '-o stdot: unknown output "stdot": did you mean "stdout"?',
    ]);
  });

  test("says what is missing", () => {
    expect(loaded("-i", "dummy")).toEqual([
      "command line: the pipeline has no outputs: nothing would be collected",
    ]);
    expect(loaded("-i", "tail", "-o", "stdout", "-R", "none.conf")).toEqual([
      '-R none.conf: cannot read "none.conf": it does not exist',
      '-i tail: missing required option "path" of input "tail"',
    ]);
  });
});
