import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { parse } from "yaml";
import { accepts } from "../cli/json-schema-check.ts";
import { Collector } from "../support/binary.ts";
import { TempFolder } from "../support/temp-folder.ts";

// What ends a test that waits in vain are the deadlines of what it waits for.
setDefaultTimeout(60_000);

/** Checks one file under a name of its own. */
async function dryRun(yaml: string, env: Readonly<Record<string, string>> = {}) {
  using folder = new TempFolder();
  await Bun.write(folder.at("config.yaml"), yaml);
  const { status, stdout, stderr } = await Collector.run(["-c", "config.yaml", "--dry-run"], {
    cwd: folder.path,
    env,
  });
  return { status, stdout, lines: stderr.split("\n").filter(Boolean) };
}

const PASSWORD = "correct-horse-battery";

describe("mistakes in a file", () => {
  test("are all told at once, one line each, with place, reason and suggestion, status 2", async () => {
    const result = await dryRun(`service:
  flush: soon
  log_levl: info
pipeline:
  inputs:
    - name: tail
      pathh: /var/log/x
    - name: tial
  filters:
    - name: grep
      match: '*'
      regex: log [a-
  outputs:
    - name: stdout
      format: jsonlines
      match: '*'
pipline: {}
`);
    expect(result).toEqual({
      status: 2,
      stdout: "",
      lines: [
        'config.yaml:2:10: option "flush" of service: expected a time such as 5, 5s, 500ms or 2h, got "soon"',
        'config.yaml:3:3: unknown option "log_levl" of service: did you mean "log_level"?',
        'config.yaml:7:7: unknown option "pathh" of input "tail": did you mean "path"?',
        'config.yaml:8:13: unknown input "tial": did you mean "tail"?',
        'config.yaml:12:14: option "regex" of filter "grep": cannot compile regex [a-: Unclosed character class at character 1',
        'config.yaml:15:15: option "format" of output "stdout": expected one of msgpack, json, json_lines, json_stream, got "jsonlines"',
        'config.yaml:17:1: unknown section "pipline": did you mean "pipeline"?',
      ],
    });
  });

  test("name the place in YAML that cannot be read", async () => {
    const { status, lines } = await dryRun("pipeline:\n  inputs:\n  - name: [dummy\n");
    expect(status).toBe(2);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/^config\.yaml:\d+:\d+: \S/);
  });

  test("a parser that is not there is one too, found before anything runs", async () => {
    const { status, lines } = await dryRun(`pipeline:
  inputs:
    - {name: tail, path: /nowhere, parser: ngnix}
  outputs:
    - {name: stdout, match: '*'}
`);
    expect(status).toBe(2);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(
      /^config\.yaml:3:\d+: .*unknown parser "ngnix": did you mean "nginx"\?$/,
    );
  });

  test("never repeat a secret", async () => {
    const secret = { PASSWORD };
    const texts = [
      `- {name: stdout, match: '*', format: "\${PASSWORD}"}`,
      `- {name: stdout, match: '*', http_passwd: ${PASSWORD}}`,
    ];
    for (const output of texts) {
      const { status, stdout, lines } = await dryRun(
        `pipeline:\n  inputs:\n    - {name: dummy}\n  outputs:\n    ${output}\n`,
        secret,
      );
      expect(status).toBe(2);
      expect(lines).toHaveLength(1);
      expect(stdout + lines.join()).not.toContain(PASSWORD);
    }
  });

  test("an unset variable is named with its place", async () => {
    const { status, lines } = await dryRun(
      "pipeline:\n  inputs:\n    - {name: dummy, tag: \"${NOT_SET}\"}\n  outputs:\n    - {name: stdout, match: '*'}\n",
    );
    expect(status).toBe(2);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/^config\.yaml:3:\d+: .*NOT_SET/);
  });
});

describe("variables", () => {
  test("come from the environment, from env, from a file and from a default", async () => {
    using folder = new TempFolder();
    await Bun.write(folder.at("token"), `${PASSWORD}\n`);
    await Bun.write(
      folder.at("config.yaml"),
      `env:
  - {name: FIXED, value: from-env}
  - {name: TOKEN, uri: 'file://${folder.at("token")}'}
pipeline:
  inputs:
    - name: dummy
      samples: 1
      flush_on_startup: on
      dummy: '{"a":"\${FIXED}","b":"\${OUTSIDE}","c":"\${NONE:-default}","d":"\${TOKEN}"}'
  outputs:
    - {name: stdout, match: '*', format: json_lines, json_date_key: off}
service: {flush: 0.05}
`,
    );
    await using collector = new Collector(["-c", folder.at("config.yaml")], {
      env: { OUTSIDE: "from-outside" },
    });
    await collector.untilRecords(1);
    expect(await collector.stop()).toBe(0);
    expect(collector.records).toEqual([
      { a: "from-env", b: "from-outside", c: "default", d: PASSWORD },
    ]);
    expect(collector.stderr).not.toContain(PASSWORD);
  });
});

describe("schema", () => {
  test("is a JSON Schema that takes right configurations and refuses wrong ones", async () => {
    const { status, stdout, stderr } = await Collector.run(["schema"]);
    expect([status, stderr]).toEqual([0, ""]);
    const schema = JSON.parse(stdout);
    expect(schema.$schema).toBe("https://json-schema.org/draft/2020-12/schema");
    const right = `service: {flush: 0.5, log_level: info}
pipeline:
  inputs: [{name: tail, Path: /var/log/*.log, parser: nginx}]
  filters: [{name: grep, match: '*', regex: [log a, log b]}]
  outputs: [{name: stdout, match: '*', format: json_lines}]
`;
    expect(accepts(schema, parse(right))).toBe(true);
    for (
      const [from, to] of [["flush", "flsh"], ["Path", "pathh"], ["tail", "tial"], [
        "json_lines",
        "jsonlines",
      ]] as const
    ) expect(accepts(schema, parse(right.replace(from, to)))).toBe(false);
  });

  test("describes every option of every plugin", async () => {
    const schema = JSON.parse((await Collector.run(["schema"])).stdout);
    for (const [name, definition] of Object.entries(schema.$defs as Record<string, Definition>)) {
      for (const [option, value] of Object.entries(definition.properties)) {
        if (option === "name") continue;
        expect(`${name}.${option}: ${value.description ?? ""}`).toMatch(/: \S/);
      }
    }
  });
});

interface Definition {
  readonly properties: Record<string, { readonly description?: string }>;
}
