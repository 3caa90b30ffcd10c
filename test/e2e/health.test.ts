import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { Collector } from "../support/binary.ts";
import { HttpSink } from "../support/http-sink.ts";
import { TempFolder } from "../support/temp-folder.ts";

// What ends a test that waits in vain are the deadlines of what it waits for.
setDefaultTimeout(60_000);

async function health(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const { status, stdout, stderr } = await Collector.run(["health", ...args], { env });
  return { status, stdout, stderr };
}

const OK = { status: 0, stdout: "ok\n", stderr: "" };

type Answer = Awaited<ReturnType<typeof health>>;

/** Asks again and again until the answer is right. */
async function healthUntil(url: string, isRight: (answer: Answer) => boolean): Promise<Answer> {
  const deadlineMs = performance.now() + 15_000;
  for (;;) {
    const answer = await health(["--url", url]);
    if (isRight(answer)) return answer;
    if (performance.now() > deadlineMs) throw new Error(`Still ${JSON.stringify(answer)}`);
  }
}

/** A port that nothing listens on at the moment. */
function freePort(): number {
  using server = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data: () => undefined } });
  return server.port;
}

/** A server that answers every request with this text, or never when there is none. */
function serverOf(status: number, text?: string) {
  return Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    idleTimeout: 0,
    fetch: () =>
      text === undefined ? new Promise<never>(() => undefined) : new Response(text, { status }),
  });
}

describe("logcollector health", () => {
  test("finds a running collector by port, URL and configuration", async () => {
    using folder = new TempFolder();
    const port = freePort();
    const config = folder.at("config.yaml");
    await Bun.write(
      config,
      `env: {ADMIN_PORT: ${port}}
service: {HTTP_Server: on, http_listen: 0.0.0.0, http_port: "\${ADMIN_PORT}"}
pipeline:
  inputs: [{name: stdin}]
  outputs: [{name: "null", match: '*'}]
`,
    );
    await using collector = new Collector(["-c", config], { interactive: true });
    await collector.url();
    expect(await health(["--port", `${port}`])).toEqual(OK);
    expect(await health(["--url", `http://127.0.0.1:${port}/`])).toEqual(OK);
    expect(await health(["-c", config])).toEqual(OK);
    expect(await health(["-c", config, "--live", "--timeout", "10s"])).toEqual(OK);
    // Whatever proxy is there for the destinations.
    const proxy = `http://127.0.0.1:${freePort()}`;
    expect(await health(["--port", `${port}`], { HTTP_PROXY: proxy, http_proxy: proxy }))
      .toEqual(OK);
    expect(await collector.stop()).toBe(0);
  });

  test("tells a destination that is away, which --live does not mind", async () => {
    using sink = new HttpSink();
    sink.status = 503;
    using folder = new TempFolder();
    await Bun.write(
      folder.at("config.yaml"),
      `service: {flush: 0.02, grace: 0, scheduler.base: 1, scheduler.cap: 1, http_server: on, http_port: 0, health_check: on, hc_period: 1, hc_errors_count: 0}
pipeline:
  inputs:
    - {name: dummy}
  outputs:
    - {name: http, alias: away, match: '*', host: 127.0.0.1, port: ${sink.port}, format: json_lines}
`,
    );
    await using collector = new Collector(["-c", folder.at("config.yaml")]);
    const url = await collector.url();
    const answer = await healthUntil(url, ({ stderr }) => stderr.includes("output away"));
    expect(answer).toMatchObject({ status: 1, stdout: "" });
    expect(answer.stderr).toMatch(
      /^Not healthy: output away has something to deliver and delivered nothing for 1 s/,
    );
    expect(await health(["--url", url, "--live"])).toEqual(OK);
    sink.status = 200;
    expect(await healthUntil(url, ({ status }) => status === 0)).toEqual(OK);
    expect(await collector.stop()).toBe(0);
  });

  test("names every reason that a collector gives", async () => {
    const report = {
      status: "error",
      errors: 12,
      retries_failed: 1,
      error_limit: 5,
      retry_failure_limit: 0,
      period_limit: 60,
      stalled: ["a", "b", "c", "d", "e", "f", "g"],
    };
    using server = serverOf(500, JSON.stringify(report));
    const { status, stderr } = await health(["--port", `${server.port}`]);
    expect(status).toBe(1);
    expect(stderr).toContain("output e has something to deliver and delivered nothing for 60 s");
    expect(stderr).toContain("and 2 more outputs");
    expect(stderr).toContain("12 failed attempts within 60 s, limit 5");
    expect(stderr).toContain("1 payload given up within 60 s, limit 0");
  });
});

describe("logcollector health cannot tell", () => {
  test("when nothing listens: it says where it asked, and what may be missing", async () => {
    const port = freePort();
    const refused = `Cannot reach the collector at http://127.0.0.1:${port}: connection refused`;
    expect(await health(["--port", `${port}`]))
      .toEqual({ status: 1, stdout: "", stderr: `${refused}; is http_server on?\n` });
    using folder = new TempFolder();
    const config = folder.at("config.yaml");
    await Bun.write(config, `service: {http_port: ${port}}\n`);
    expect(await health(["-c", config])).toEqual({
      status: 1,
      stdout: "",
      stderr: `${refused}; http_server is not on in ${config}\n`,
    });
  });

  test("when there is no answer in time", async () => {
    using server = serverOf(200);
    expect(await health(["--port", `${server.port}`, "--timeout", "50ms"])).toEqual({
      status: 1,
      stdout: "",
      stderr:
        `Cannot reach the collector at http://127.0.0.1:${server.port}: no answer within 0.05 s\n`,
    });
  });

  test("when something else answers, however much", async () => {
    for (const text of ["<html>", '{"status":"ok"}', "x".repeat(2_000_000)]) {
      using server = serverOf(200, text);
      const { status, stdout, stderr } = await health(["--port", `${server.port}`]);
      expect([status, stdout]).toEqual([1, ""]);
      expect(stderr).toMatch(/^Cannot re\w+ the [^\n]+\n$/);
    }
    using server = serverOf(404, "not found");
    expect(await health(["--port", `${server.port}`, "--live"])).toMatchObject({ status: 1 });
  });

  test("when the command line or the configuration is wrong", async () => {
    using folder = new TempFolder();
    const write = async (name: string, text: string) => {
      await Bun.write(folder.at(name), text);
      return ["-c", folder.at(name)];
    };
    const cases: readonly (readonly [readonly string[], RegExp])[] = [
      [["--port", "0"], /^--port: expected a port from 1 to 65535, got "0"\n$/],
      [["--port", "http"], /^--port: expected a port/],
      [["--url", "127.0.0.1"], /^--url: expected an address such as/],
      [["--url", "http://user:secret@127.0.0.1"], /^--url: expected (?!.*secret)/],
      [["--timeout", "soon"], /^--timeout: expected a time such as/],
      [["--timeout", "0"], /^--timeout: expected a time of up to an hour/],
      [["--port", "1", "-c", "x"], /^-c and --port both say where/],
      [["--loud"], /see "logcollector health --help"\n$/],
      [["now"], /see "logcollector health --help"\n$/],
      [["-c", folder.at("none.yaml")], /none\.yaml/],
      [await write("zero.yaml", "service: {http_port: 0}\n"), /http_port is 0/],
      [await write("word.yaml", "service: {http_port: web}\n"), /http_port: expected a port/],
      [await write("unset.yaml", "service: {http_port: '${UNSET}'}\n"), /\$\{UNSET\} is not set/],
      [await write("broken.yaml", "service: [\n"), /broken\.yaml:\d+:\d+: /],
    ];
    for (const [args, message] of cases) {
      const { status, stdout, stderr } = await health(args);
      expect([args, status, stdout]).toEqual([args, 2, ""]);
      expect(stderr).toMatch(message);
    }
  });

  test("--help explains every option", async () => {
    const { status, stdout } = await health(["--help"]);
    expect(status).toBe(0);
    for (const flag of ["--config", "--port", "--url", "--live", "--timeout"]) {
      expect(stdout).toContain(flag);
    }
  });
});
