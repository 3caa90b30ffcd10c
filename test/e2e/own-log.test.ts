import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync } from "node:fs";
import { BINARY, Collector } from "../support/binary.ts";
import { HttpSink } from "../support/http-sink.ts";
import { TempFolder } from "../support/temp-folder.ts";

// What ends a test that waits in vain are the deadlines of what it waits for.
setDefaultTimeout(60_000);

const NOTHING = ["-i", "stdin", "-o", "null"];

describe("the own log", () => {
  test("is one JSON object per line when standard error is no terminal", async () => {
    const { log, stdout } = await Collector.run(NOTHING);
    expect(stdout).toBe("");
    expect(log.length).toBeGreaterThan(1);
    for (const line of log) {
      expect(line).toMatchObject({
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
        level: expect.stringMatching(/^(error|warn|info|debug)$/),
        component: expect.any(String),
        message: expect.any(String),
      });
    }
  });

  test.skipIf(Bun.which("script") === null)("is text with colours on a terminal", async () => {
    const onTerminal = async (env: Record<string, string>) => {
      const child = Bun.spawn(["script", "-qec", `${BINARY} -i dummy -o nul`, "/dev/null"], {
        stdin: "ignore",
        stdout: "pipe",
        env: { PATH: process.env.PATH ?? "", ...env },
      });
      return { text: await new Response(child.stdout).text(), status: await child.exited };
    };
    // A mistake needs no log; a start does.
    expect(await onTerminal({})).toEqual({
      text: '-o nul: unknown output "nul": did you mean "null"?\r\n',
      status: 2,
    });
    const child = Bun.spawn(
      [
        "script",
        "-qec",
        `${BINARY} -i exec -p command=true -p oneshot=on -p exit_after_oneshot=on -o null`,
        "/dev/null",
      ],
      { stdin: "ignore", stdout: "pipe", env: { PATH: process.env.PATH ?? "" } },
    );
    const text = await new Response(child.stdout).text();
    expect(await child.exited).toBe(0);
    expect(text).toMatch(
      /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} \x1b\[36minfo \x1b\[0m \[main\] logcollector /,
    );
  });

  test("says less with log_level, per component too", async () => {
    using folder = new TempFolder();
    using sink = new HttpSink();
    sink.status = 400;
    const config = (service: string, output: string) =>
      `service: {flush: 0.02, ${service}}
pipeline:
  inputs: [{name: stdin}]
  outputs: [{name: http, match: '*', host: 127.0.0.1, port: ${sink.port}, ${output}}]
`;
    const levels = async (service: string, output: string) => {
      await Bun.write(folder.at("c.yaml"), config(service, output));
      const { log } = await Collector.run(["-c", folder.at("c.yaml")], { stdin: '{"a":1}\n' });
      return [...new Set(log.map(({ level }) => level))].sort();
    };
    expect(await levels("log_level: info", "alias: a")).toEqual(["error", "info"]);
    expect(await levels("log_level: error", "alias: a")).toEqual(["error"]);
    expect(await levels("log_level: off", "alias: a")).toEqual([]);
    expect(await levels("log_level: info", "log_level: off")).toEqual(["info"]);
  });

  test("goes to log_file, and is added to what is there", async () => {
    using folder = new TempFolder();
    const path = folder.at("own.log");
    await Bun.write(path, "before\n");
    const { stderr, status } = await Collector.run(["-l", path, ...NOTHING]);
    expect([stderr, status]).toEqual(["", 0]);
    const [first, ...rest] = readFileSync(path, "utf8").trimEnd().split("\n");
    expect(first).toBe("before");
    expect(rest.map((line) => JSON.parse(line).message)).toContain("Stopped");
  });

  test("cannot be forged by an alias, a tag or a file name", async () => {
    using folder = new TempFolder();
    const forged = '{"level":"error","message":"forged"}';
    await Bun.write(
      folder.at("c.yaml"),
      `service: {flush: 0.02}
pipeline:
  inputs:
    - {name: stdin, alias: ${JSON.stringify(`x\n${forged}`)}, tag: ${
        JSON.stringify(`t\n${forged}`)
      }}
  outputs:
    - {name: 'null', match: nothing}
`,
    );
    const { log } = await Collector.run(["-c", folder.at("c.yaml")], { stdin: '{"a":1}\n' });
    expect(log.length).toBeGreaterThan(0);
    expect(log.filter(({ message }) => message === "forged")).toEqual([]);
  });

  test("tells the count of repeats before the end", async () => {
    using sink = new HttpSink();
    sink.status = 400;
    await using collector = new Collector([
      ...["-f", "0.001", "-i", "dummy", "-p", "rate=200", "-p", "samples=50"],
      ...["-o", "http", "-p", "host=127.0.0.1", "-p", `port=${sink.port}`],
    ]);
    await collector.until(() => sink.refused >= 3, "three refused requests");
    expect(await collector.stop()).toBe(0);
    const dropped = collector.log.filter(({ message }) => message.startsWith("Dropped"));
    const told = dropped.reduce((sum, line) => sum + Math.max(1, Number(line.repeated ?? 1)), 0);
    expect(told).toBe(sink.refused);
  });
});
