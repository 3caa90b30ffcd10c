import { describe, expect, setDefaultTimeout, test } from "bun:test";
import manifest from "../../package.json" with { type: "json" };
import { Collector } from "../support/binary.ts";
import { TempFolder } from "../support/temp-folder.ts";

// What ends a test that waits in vain are the deadlines of what it waits for.
setDefaultTimeout(60_000);

/** What one run wrote, without the log's times. */
async function outcome(...args: string[]) {
  const { status, stdout, stderr } = await Collector.run(args);
  return { status, stdout, stderr };
}

const ONE_RECORD = ["-f", "0.05", "-i", "dummy", "-p", "samples=1", "-p", "flush_on_startup=on"];
const JSON_LINES = ["-o", "stdout", "-p", "format=json_lines", "-p", "json_date_key=off"];

describe("commands that print", () => {
  test("--help explains every option on standard output", async () => {
    const help = await outcome("--help");
    expect(help).toMatchObject({ status: 0, stderr: "" });
    expect(help.stdout).toMatch(/^logcollector collects logs/);
    for (const flag of ["-c", "-i", "-F", "-o", "-p", "-m", "-t", "-f", "-R", "-q", "-v"]) {
      expect(help.stdout).toMatch(new RegExp(`^ +${flag}, --`, "m"));
    }
    expect(help.stdout).toContain("Exit status: 0 ");
    expect(await outcome("-h")).toEqual(help);
    expect(await outcome("help")).toEqual(help);
  });

  test("--version prints the package's version", async () => {
    const version = { status: 0, stdout: `logcollector ${manifest.version}\n`, stderr: "" };
    expect(await outcome("--version")).toEqual(version);
    expect(await outcome("-V")).toEqual(version);
    expect(await outcome("version")).toEqual(version);
  });

  test("plugins lists every builtin by kind", async () => {
    const { status, stdout, stderr } = await outcome("plugins");
    expect([status, stderr]).toEqual([0, ""]);
    const sections = stdout.split(/^(?=[A-Z])/m);
    const names = (title: string) =>
      sections.find((section) => section.startsWith(title))!.matchAll(/^ {2}(\S+)/gm)
        .map((match) => match[1]!).toArray();
    expect(names("Inputs")).toEqual(expect.arrayContaining(["dummy", "exec", "stdin", "tail"]));
    expect(names("Filters")).toEqual(expect.arrayContaining(["grep", "modify", "rewrite_tag"]));
    expect(names("Outputs")).toEqual(expect.arrayContaining(["file", "null", "stdout"]));
  });

  test("plugins NAME shows every option of one with a description", async () => {
    const { status, stdout } = await outcome("plugins", "tail");
    expect(status).toBe(0);
    expect(stdout).toMatch(/^ {2}path +list +required +\w/m);
    expect(stdout).toMatch(/^ {2}refresh_interval +time \(seconds\) +1s +\w/m);
    expect(stdout).toMatch(/^ {2}mem_buf_limit +size \(bytes\) +0 +\w/m);
    for (const line of stdout.split("\n").filter((line) => line.startsWith("  "))) {
      if (!line.includes("is another name of")) expect(line).toMatch(/\S {2,}\S.* {2,}\S/);
    }
  });

  test("plugins with an unknown name suggests one, status 2", async () => {
    expect(await outcome("plugins", "tial")).toEqual({
      status: 2,
      stdout: "",
      stderr: 'logcollector: unknown plugin "tial": did you mean "tail"?\n',
    });
  });

  test("docs prints Markdown with a section per plugin", async () => {
    const { status, stdout, stderr } = await outcome("docs");
    expect([status, stderr]).toEqual([0, ""]);
    for (const heading of ["## Inputs", "### tail", "## Filters", "### grep", "## Outputs"]) {
      expect(stdout).toContain(`\n${heading}\n`);
    }
  });
});

describe("a wrong command line", () => {
  const WRONG: readonly (readonly [readonly string[], string])[] = [
    [[], 'nothing to do: give a configuration with -c, or see "logcollector --help"'],
    [["--dry-run"], 'nothing to do: give a configuration with -c, or see "logcollector --help"'],
    [["-c"], "-c needs a value"],
    [["--confg", "x"], 'unknown option --confg: did you mean "--config"?'],
    [["pluginz"], 'unknown command "pluginz": did you mean "plugin"?'],
    [["-p", "a=b"], "-p a=… must follow -i, -F or -o"],
    [["-d", "-c", "x"], "-d is not supported in this version"],
    [["-c", "nowhere.yaml"], "nowhere.yaml: cannot read the file: it does not exist"],
  ];
  for (const [args, message] of WRONG) {
    test(`"${args.join(" ")}" gets one line and status 2`, async () => {
      expect(await outcome(...args)).toEqual({ status: 2, stdout: "", stderr: `${message}\n` });
    });
  }

  test("an argument with a secret is not repeated", async () => {
    const { status, stdout, stderr } = await outcome(
      ...["-i", "dummy", "-o", "stdout", "-p", "http_passwd=hunter2", "-p", "hunter2"],
    );
    expect(status).toBe(2);
    expect(stdout + stderr).not.toContain("hunter2");
  });
});

describe("a pipeline on the command line", () => {
  test("runs an input, a filter and an output with their properties, tag and match", async () => {
    await using collector = new Collector([
      ...ONE_RECORD,
      ...["-p", 'dummy={"level":"info","n":1}', "-t", "app.web"],
      ...["-F", "record_modifier", "-m", "app.*", "-p", "record=host box", "-p", "record=env test"],
      ...["-F", "record_modifier", "-m", "other", "-p", "record=never seen"],
      ...[...JSON_LINES, "-m", "app.*"],
    ]);
    await collector.untilRecords(1);
    expect(await collector.stop()).toBe(0);
    expect(collector.lines).toEqual(['{"level":"info","n":1,"host":"box","env":"test"}']);
  });

  test("ends by itself when standard input ends, with everything printed", async () => {
    const lines = Array.from({ length: 5000 }, (_, i) => `{"n":${i}}`);
    const { status, stdout } = await Collector.run(
      ["-q", "-f", "0.05", "-i", "stdin", ...JSON_LINES],
      { stdin: lines.join("\n") + "\n" },
    );
    expect(status).toBe(0);
    expect(stdout).toBe(lines.join("\n") + "\n");
  });

  test("-R reads parsers, YAML or classic", async () => {
    using folder = new TempFolder();
    const classic = folder.at("parsers.conf");
    await Bun.write(
      classic,
      "[PARSER]\n    Name pair\n    Format regex\n    Regex ^(?<a>\\w+) (?<b>\\w+)$\n",
    );
    const yaml = folder.at("parsers.yaml");
    await Bun.write(
      yaml,
      "parsers:\n  - {name: pair, format: regex, regex: '^(?<a>\\w+) (?<b>\\w+)$'}\n",
    );
    for (const file of [classic, yaml]) {
      const { status, lines } = await Collector.run(
        ["-q", "-R", file, "-i", "stdin", "-p", "parser=pair", ...JSON_LINES],
        { stdin: "one two\n" },
      );
      expect([status, lines]).toEqual([0, ['{"a":"one","b":"two"}']]);
    }
  });

  test("-q says nothing, -v says more", async () => {
    const args = ["-i", "stdin", "-o", "null"];
    expect((await Collector.run(["-q", ...args])).stderr).toBe("");
    const usual = await Collector.run(args);
    const more = await Collector.run(["-v", ...args]);
    expect(usual.log.map(({ level }) => level)).not.toContain("debug");
    expect(more.log.length).toBeGreaterThanOrEqual(usual.log.length);
  });

  test("--dry-run checks and does not run", async () => {
    expect(await outcome(...ONE_RECORD, ...JSON_LINES, "--dry-run")).toEqual({
      status: 0,
      stdout: "configuration test is successful\n",
      stderr: "",
    });
    expect(await outcome("-i", "dummy", "-D", "-o", "stdot")).toEqual({
      status: 2,
      stdout: "",
      stderr: '-o stdot: unknown output "stdot": did you mean "stdout"?\n',
    });
  });
});
