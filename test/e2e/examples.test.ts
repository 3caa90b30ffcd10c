import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { FluentServer } from "@fluent-org/logger";
import { appendFileSync, mkdirSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import { Collector } from "../support/binary.ts";
import { BulkServer } from "../support/bulk-server.ts";
import { eventually } from "../support/eventually.ts";
import { TempFolder } from "../support/temp-folder.ts";

// What ends a test that waits in vain are the deadlines of what it waits for.
setDefaultTimeout(60_000);

// The manifests have tests of their own: test/manifests.
const EXAMPLES = [...new Bun.Glob("config/**/*.{yaml,conf}").scanSync(".")].sort()
  .filter((path) => !path.includes("parsers") && !path.startsWith("config/kubernetes/"));

describe("config/", () => {
  test("has examples", () => expect(EXAMPLES.length).toBeGreaterThan(4));
  for (const path of EXAMPLES) {
    test(`${path} is right`, async () => {
      const { status, stdout, stderr } = await Collector.run(["-c", path, "--dry-run"]);
      expect([status, stdout, stderr]).toEqual([0, "configuration test is successful\n", ""]);
    });
  }
});

const received: { path: string; tag: string | null; text: string }[] = [];
const endpoint = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  async fetch(request) {
    let bytes = new Uint8Array(await request.arrayBuffer());
    if (request.headers.get("content-encoding") === "gzip") bytes = Bun.gunzipSync(bytes);
    received.push({
      path: new URL(request.url).pathname,
      tag: request.headers.get("x-tag"),
      text: new TextDecoder().decode(bytes),
    });
    return new Response();
  },
});
afterAll(() => endpoint.stop(true));

/** Records that were posted to a path, in one of the two JSON formats. */
const posted = (path: string, tag: string | null = null) =>
  received.filter((request) => request.path === path && request.tag === tag)
    .flatMap(({ text }) => text.startsWith("[") ? JSON.parse(text) : lineRecords(text));
const lineRecords = (text: string) =>
  text.split("\n").filter(Boolean).map((line) => JSON.parse(line));

/** Starts an example with files of its own. */
async function example(
  name: string,
  folder: TempFolder,
  files: Readonly<Record<string, string>>,
  env: Readonly<Record<string, string>>,
): Promise<Collector> {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(folder.at(path)), { recursive: true });
    await Bun.write(folder.at(path), text);
  }
  received.length = 0;
  return new Collector(["-c", `config/${name}`], {
    env: { ...env, ENDPOINT_PORT: String(endpoint.port), LOGCOLLECTOR_PORT: "0" },
  });
}

const ACCESS_LOG =
  `203.0.113.7 - - [22/Nov/2026:14:05:01 +0000] "GET /index.html HTTP/1.1" 200 5124 "-" "Mozilla/5.0"
10.0.0.2 - - [22/Nov/2026:14:05:02 +0000] "GET /healthz HTTP/1.1" 200 2 "-" "kube-probe/1.31"
198.51.100.23 - alice [22/Nov/2026:14:05:03 +0000] "POST /api/orders HTTP/1.1" 503 187 "-" "curl"
`;

describe("the example", () => {
  test("quickstart prints a record at once, and what is written to the demo file or typed", async () => {
    using folder = new TempFolder();
    const demo = folder.at("demo.log");
    await using collector = new Collector(["-c", "config/quickstart.yaml"], {
      env: { LOGCOLLECTOR_DEMO: demo, LOGCOLLECTOR_PORT: "0" },
      interactive: true,
    });
    const messages = () => collector.records.map(({ message, log }) => message ?? log);
    await collector.until(
      () => messages().some((text) => String(text).startsWith("logcollector is running")),
      "the first record",
    );
    await Bun.write(
      demo,
      '{"level":"debug","message":"hidden"}\n{"message":"from the file"}\nplain\n',
    );
    collector.type("typed\n");
    await collector.until(
      () => ["from the file", "plain", "typed"].every((text) => messages().includes(text)),
      "the demo file's lines and the typed one",
    );
    const health = await fetch(`${await collector.url()}/api/v2/health`);
    expect([health.status, await health.json()]).toMatchObject([200, { status: "ok" }]);
    expect(await collector.stop("SIGINT")).toBe(0);
    expect(messages()).not.toContain("hidden");
  });

  test("nginx-to-http posts parsed lines without the health checks", async () => {
    using folder = new TempFolder();
    await using collector = await example("nginx-to-http.yaml", folder, {
      "access.log": ACCESS_LOG,
    }, {
      ACCESS_LOG: folder.at("access.log"),
      READ_FROM_HEAD: "on",
    });
    await eventually(() => posted("/logs").length === 2, undefined, 30_000);
    expect(await collector.stop()).toBe(0);
    expect(posted("/logs")).toMatchObject([
      { time: "2026-11-22T14:05:01.000000Z", path: "/index.html", status: 200, bytes: 5124 },
      { user: "alice", method: "POST", path: "/api/orders", status: 503, bytes: 187 },
    ]);
  });

  test("forward-to-aggregator logs in and delivers joined lines, and proves the key", async () => {
    using folder = new TempFolder();
    const security = { serverHostname: "agg", sharedKey: "k", authorize: false, userDict: {} };
    const server = new FluentServer({ listenOptions: { port: 0, host: "127.0.0.1" }, security });
    const entries: { tag: string; log: string }[] = [];
    server.on("entry", (tag, _time, body) => void entries.push({ tag, log: String(body["log"]) }));
    await server.listen();
    const cri = (rest: string) => `2026-11-22T14:05:02.25Z stdout ${rest}\n`;
    await using collector = await example("forward-to-aggregator.yaml", folder, {
      "logs/web.log": cri("P split ") + cri("F line") + cri("F end"),
    }, {
      STATE_FOLDER: folder.at("state"),
      CONTAINER_LOGS: folder.at("logs/*.log"),
      AGGREGATOR_PORT: String(server.port),
      FORWARD_SHARED_KEY: "k",
    });
    await eventually(() => entries.length === 2, () => collector.stderr, 30_000);
    expect(await collector.stop()).toBe(0);
    await server.close();
    expect(entries.map(({ log }) => log.trimEnd())).toEqual(["split line", "end"]);
    expect(entries.every(({ tag }) => tag.startsWith("edge.") && tag.endsWith("web.log"))).toBe(
      true,
    );
  });

  test("json-to-elasticsearch stores each record once, by day, and keeps what is refused", async () => {
    using folder = new TempFolder();
    using server = new BulkServer(({ status }) => typeof status === "string" ? 400 : 200);
    const record = (day: number, rest: string) =>
      `{"time":"2026-11-${day}T14:05:01.5+0000",${rest}}\n`;
    const log = record(22, '"n":1') + record(23, '"n":2') + record(22, '"n":1') +
      record(22, '"n":3,"status":"not a number"');
    const { port } = server;
    await using collector = await example("json-to-elasticsearch.yaml", folder, {
      "app.json": log,
    }, {
      APP_LOGS: folder.at("*.json"),
      STATE_FOLDER: folder.at("state"),
      ELASTICSEARCH_PORT: String(port),
    });
    await collector.untilLog(/Kept 1 record as a dead letter: .*mapper_parsing_exception/);
    expect(await collector.stop()).toBe(0);
    expect([...server.taken.values()]).toEqual([
      { "@timestamp": "2026-11-22T14:05:01.500Z", n: 1 },
      { "@timestamp": "2026-11-23T14:05:01.500Z", n: 2 },
    ]);
    expect([...server.indices]).toEqual(["logs-2026.11.22", "logs-2026.11.23"]);
  });

  test("classic.conf prints parsed lines", async () => {
    using folder = new TempFolder();
    await using collector = await example("classic.conf", folder, { "access.log": ACCESS_LOG }, {
      ACCESS_LOG: folder.at("access.log"),
    });
    await collector.untilRecords(2);
    expect(await collector.stop()).toBe(0);
    expect(collector.records).toMatchObject([
      { date: 1795356301, path: "/index.html", code: 200 },
      { date: 1795356303, path: "/api/orders", code: 503 },
    ]);
  });

  test("docker-containers joins parts and stack traces, one request per tag, and goes on after a restart", async () => {
    using folder = new TempFolder();
    const id = "0123456789abcdef".repeat(4);
    const docker = (log: string) =>
      `${JSON.stringify({ log, stream: "stdout", time: "2026-11-22T14:05:01.5Z" })}\n`;
    const cri = (rest: string) => `2026-11-22T14:05:02.25Z stdout ${rest}\n`;
    const env = {
      STATE_FOLDER: folder.at("state"),
      DOCKER_LOGS: folder.at("docker/*/*-json.log"),
      KUBERNETES_LOGS: folder.at("kube/*.log"),
      READ_FROM_HEAD: "on",
    };
    await using collector = await example("docker-containers.yaml", folder, {
      "docker/a/.keep": "",
      "kube/.keep": "",
    }, env);
    await collector.untilLog("started");
    await Bun.write(
      folder.at(`docker/a/${id}-json.log`),
      docker("one long ") + docker("line\n") + docker("next\n"),
    );
    await Bun.write(
      folder.at(`kube/web-1_shop_nginx-${id}.log`),
      cri("P split ") + cri("F line") + cri("F java.lang.IllegalStateException: x") +
        cri("F \tat a.B.c(B.java:1)") + cri("F end"),
    );
    await Bun.write(folder.at(`kube/dns-1_kube-system_dns-${id}.log`), cri("F not this"));
    const dockerTag = `docker.${id.slice(0, 12)}`;
    const kubeTag = "kube.shop.web-1.nginx";
    await eventually(
      () => posted("/logs", dockerTag).length === 2 && posted("/logs", kubeTag).length === 3,
      () => `the records; there are ${JSON.stringify(received)} ${collector.stderr}`,
      30_000,
    );
    expect(await collector.stop()).toBe(0);
    const texts = (tag: string) => posted("/logs", tag).map(({ log }) => String(log).trimEnd());
    expect(texts(dockerTag)).toEqual(["one long line", "next"]);
    expect(texts(kubeTag)).toEqual([
      "split line",
      "java.lang.IllegalStateException: x\n\tat a.B.c(B.java:1)",
      "end",
    ]);
    expect(received.every(({ tag }) => tag === dockerTag || tag === kubeTag)).toBe(true);

    appendFileSync(folder.at(`docker/a/${id}-json.log`), docker("later\n"));
    await using again = await example("docker-containers.yaml", folder, {}, env);
    await eventually(() => posted("/logs", dockerTag).length > 0, () => again.stderr, 30_000);
    expect(await again.stop()).toBe(0);
    expect(received.map(({ tag }) => tag)).toEqual([dockerTag]);
    expect(texts(dockerTag)).toEqual(["later"]);
  });

  test("java-multiline keeps a stack trace with its message", async () => {
    using folder = new TempFolder();
    await using collector = await example("java-multiline.yaml", folder, {
      "app.log": `2026-11-22 14:05:01.123 INFO [main] com.example.App: started
2026-11-22 14:05:02.456 ERROR [worker-1] com.example.Orders: order 17 failed
java.lang.IllegalStateException: no stock
\tat com.example.Orders.take(Orders.java:42)
2026-11-22 14:05:03.789 WARN [main] com.example.App: slow
`,
    }, { APP_LOG: folder.at("app.log") });
    await collector.untilRecords(3);
    expect(await collector.stop()).toBe(0);
    expect(collector.records).toMatchObject([
      { date: 1795356301.123, level: "INFO", thread: "main", message: "started" },
      {
        level: "ERROR",
        logger: "com.example.Orders",
        message:
          "order 17 failed\njava.lang.IllegalStateException: no stock\n\tat com.example.Orders.take(Orders.java:42)",
        file: folder.at("app.log"),
      },
      { date: 1795356303.789, level: "WARN", message: "slow" },
    ]);
  });

  test("route-by-tag sends errors one way and the rest another, and stays in its folder", async () => {
    using folder = new TempFolder();
    await using collector = await example("route-by-tag.yaml", folder, {
      "app.json": `{"level":"info","service":"shop","message":"sold"}
{"level":"error","service":"shop","message":"no stock"}
{"level":"info","service":"../../evil","message":"x"}
`,
    }, { APP_LOG: folder.at("app.json"), OUT_DIR: folder.at("out") });
    await eventually(() => posted("/alerts").length === 1, undefined, 30_000);
    await collector.untilRecords(1);
    expect(await collector.stop()).toBe(0);
    expect(posted("/alerts")).toMatchObject([{ level: "error", message: "no stock" }]);
    expect(JSON.parse(readFileSync(folder.at("out/file.shop"), "utf8"))).toEqual({
      level: "info",
      service: "shop",
      message: "sold",
    });
    expect(collector.records).toMatchObject([{ service: "../../evil", message: "x" }]);
  });
});
