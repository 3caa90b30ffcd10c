import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { FluentServer } from "@fluent-org/logger";
import { eventually } from "../support/eventually.ts";
import { HttpSink } from "../support/http-sink.ts";
import { HAS_KUBE_API, KubeApi, type KubeObject } from "../support/kube-api.ts";
import { untilAnswer, untilMetric } from "../support/metric.ts";
import { journalToolsMissing, makeJournal } from "../support/journal-fixtures.ts";
import { NodeLogs } from "../support/kubelet-logs.ts";
import { find, HAS_KUBE_TOOLS, kustomize, mountedAt, type Workload } from "../support/manifests.ts";
import { noPods, Pod, type PodOptions } from "../support/pod.ts";
import { TempFolder } from "../support/temp-folder.ts";
import { pathOf } from "./api-path.ts";

setDefaultTimeout(60_000);

if (noPods !== undefined) console.warn(`The manifests' pods are not tested: ${noPods}`);
const canRun = HAS_KUBE_TOOLS && HAS_KUBE_API && noPods === undefined;

/** The output of a user. */
const outputTo = (sink: HttpSink) =>
  `pipeline: {outputs: [{name: http, match: "*", host: 127.0.0.1, port: ${sink.port}, format: json_lines}]}`;

describe.skipIf(!canRun)("a pod of the manifests", () => {
  let api: KubeApi;
  const base = canRun ? kustomize("base") : [];
  beforeAll(async () => {
    api = await KubeApi.start();
    // All that `kubectl apply -k` makes.
    for (const manifest of base) await api.request("POST", pathOf(manifest), manifest);
    await api.makeNamespace("shop");
  });
  afterAll(async () => await api?.[Symbol.asyncDispose]());

  /** What the kubelet mounts into the pod. */
  async function account(name = "logcollector"): Promise<NonNullable<PodOptions["account"]>> {
    const path = `/api/v1/namespaces/logcollector/serviceaccounts/${name}/token`;
    const { status } = await api.request("POST", path, { spec: {} }) as KubeObject & {
      readonly status: { readonly token: string };
    };
    return { token: status.token, ca: readFileSync(api.caFile, "utf8"), port: api.port };
  }

  async function startContainer(node: NodeLogs, name: string) {
    const labels = { app: name };
    const { metadata: { uid } } = await api.makePod({ name, namespace: "shop", labels });
    return node.startPod(name, "shop", uid).start("app");
  }

  test("reads the logs, and adds what the cluster knows, with the rights that it has there", async () => {
    using folder = new TempFolder();
    using sink = new HttpSink();
    const node = new NodeLogs(folder.path, "cri", "/");
    const log = await startContainer(node, "web-1");
    log.write("stdout", "before the start", '{"level":"warn","size":7}');
    const own = node.startPod("logcollector-x7x7x", "logcollector").start("logcollector");
    own.write("stderr", "of the collector itself");
    await using pod = new Pod({
      manifests: base,
      node: folder.path,
      account: await account(),
      files: { "90-outputs.yaml": outputTo(sink) },
    });
    const collector = await pod.start();
    await eventually(() => sink.records.length === 2, () => collector.stderr, 15_000);
    const kubernetes = { pod_name: "web-1", namespace_name: "shop", labels: { app: "web-1" } };
    expect(sink.records).toMatchObject([
      { log: "before the start", kubernetes },
      { level: "warn", size: 7, kubernetes },
    ]);
    // What kubelet asks.
    const url = await collector.url();
    for (const path of ["/api/v1/uptime", "/api/v2/health"]) {
      expect((await fetch(url + path)).status).toBe(200);
    }
    expect(collector.messages.filter((each) => /cannot|denied|permission/i.test(each))).toEqual([]);
    expect(await collector.stop()).toBe(0);
    expect(existsSync(folder.at("var/lib/logcollector"))).toBe(true);
    // The next pod on the node goes on where this one was.
    log.write("stdout", "while nobody read");
    const again = await pod.start();
    await eventually(() => sink.records.length === 3, () => again.stderr, 15_000);
    expect(await again.stop()).toBe(0);
    expect(sink.records.map(({ log }) => log)).toEqual([
      "before the start",
      undefined,
      "while nobody read",
    ]);
  });

  test("reads what Docker writes", async () => {
    using folder = new TempFolder();
    using sink = new HttpSink();
    const node = new NodeLogs(folder.path, "docker", "/");
    (await startContainer(node, "docker-1")).write("stderr", "as JSON");
    await using pod = new Pod({
      manifests: kustomize("docker"),
      node: folder.path,
      account: await account(),
      files: { "90-outputs.yaml": outputTo(sink) },
    });
    const collector = await pod.start();
    await eventually(() => sink.records.length === 1, () => collector.stderr, 15_000);
    expect(await collector.stop()).toBe(0);
    expect(sink.records).toMatchObject([
      { log: "as JSON\n", stream: "stderr", kubernetes: { pod_name: "docker-1" } },
    ]);
  });

  test("says what is missing when it may do less", async () => {
    using folder = new TempFolder();
    using sink = new HttpSink();
    const node = new NodeLogs(folder.path, "cri", "/");
    const log = await startContainer(node, "poor-1");
    const binding = base.find(({ kind }) => kind === "ClusterRoleBinding")!;
    const path = `${pathOf(binding)}/logcollector`;
    await api.request("DELETE", path);
    await using pod = new Pod({
      manifests: base,
      node: folder.path,
      account: await account(),
      files: { "90-outputs.yaml": outputTo(sink) },
    });
    const collector = await pod.start();
    log.write("stdout", "without rights");
    await collector.untilLog(/pods.*(forbidden|403)/s);

    // The line comes all the same, with what the file's name says.
    await eventually(() => sink.records.length === 1, () => collector.stderr, 15_000);
    expect(sink.records).toMatchObject([{
      log: "without rights",
      kubernetes: { pod_name: "poor-1" },
    }]);
    await api.request("POST", pathOf(binding), binding);
    // From then on it has what it needs, without a restart.
    await untilMetric(await collector.url(), "filter_kubernetes_pod_metadata_up", {
      name: "kubernetes",
    }, (up) => up === 1);
    log.write("stdout", "with rights");
    await eventually(() => sink.records.length === 2, () => collector.stderr, 15_000);
    expect(sink.records[1]).toMatchObject({ kubernetes: { labels: { app: "poor-1" } } });
    expect(await collector.stop()).toBe(0);
  });

  test("for events reads those of the cluster, without rights to anything else", async () => {
    using folder = new TempFolder();
    using sink = new HttpSink();
    const manifests = kustomize("events");
    for (const manifest of manifests.filter(({ metadata }) => metadata.name.includes("events"))) {
      await api.request("POST", pathOf(manifest), manifest);
    }
    await using pod = new Pod({
      manifests,
      workload: find<Workload>(manifests, "Deployment"),
      node: folder.path,
      account: await account("logcollector-events"),
      files: { "90-outputs.yaml": outputTo(sink) },
    });
    const collector = await pod.start();
    await api.request("POST", "/api/v1/namespaces/shop/events", {
      metadata: { name: "web-1.17" },
      involvedObject: { kind: "Pod", name: "web-1", namespace: "shop" },
      reason: "BackOff",
      message: "Back-off restarting failed container",
      type: "Warning",
      lastTimestamp: new Date().toISOString(),
    });
    const hasCome = () => sink.records.some(({ reason }) => reason === "BackOff");
    await eventually(hasCome, () => collector.stderr, 15_000);
    expect(await collector.stop()).toBe(0);
    expect(sink.records).toHaveLength(1);
  });

  test("is alive, but not ready, while it cannot deliver", async () => {
    using folder = new TempFolder();
    using sink = new HttpSink();
    sink.status = 503;
    const node = new NodeLogs(folder.path, "cri", "/");
    const log = await startContainer(node, "stuck-1");
    const main = mountedAt(base, "/etc/logcollector")["logcollector.yaml"]!;
    await using pod = new Pod({
      manifests: base,
      node: folder.path,
      account: await account(),
      files: {
        "logcollector.yaml": main.replace("hc_period: 30", "hc_period: 1\n  scheduler.base: 0.1"),
        "90-outputs.yaml": outputTo(sink),
      },
    });
    const collector = await pod.start();
    const url = await collector.url();
    const isReady = async () => (await fetch(`${url}/api/v2/health`)).ok;
    expect(await isReady()).toBe(true);
    log.write("stdout", "waits");
    await untilAnswer(async () => !await isReady(), () => "it is not ready");
    expect((await fetch(`${url}/api/v1/uptime`)).status).toBe(200);
    sink.status = 200;
    await untilAnswer(isReady, () => "it is ready again");
    expect(sink.records).toMatchObject([{ log: "waits" }]);
    expect(await collector.stop()).toBe(0);
  });

  test("runs a plugin of a ConfigMap, and goes on with its new code when that changes", async () => {
    using folder = new TempFolder();
    using sink = new HttpSink();
    const node = new NodeLogs(folder.path, "cri", "/");
    const log = await startContainer(node, "orders-1");
    await using pod = new Pod({
      manifests: kustomize("plugin-configmap"),
      node: folder.path,
      account: await account(),
      files: { "90-outputs.yaml": outputTo(sink) },
    });
    const collector = await pod.start();
    const plugins = pod.volumes.get("/plugins")!;
    const code = readFileSync(`${plugins.folder}/shop_orders.ts`, "utf8");
    const next = async (line: string) => {
      const { length } = sink.records;
      log.write("stdout", line);
      await eventually(() => sink.records.length > length, () => collector.stderr, 15_000);
      const { order, state, amount, currency } = sink.records.at(-1)!;
      return { order, state, amount, currency };
    };
    const paid = { order: 4711, state: "paid", amount: 12.5, currency: "EUR" };
    expect(await next("order 4711 paid: 12.50 EUR")).toEqual(paid);
    plugins.update({ "shop_orders.ts": code.replace("state }", "state: state!.toUpperCase() }") });
    await collector.untilLog(/shop_orders.*it goes on with the new version/);
    expect(await next("order 4711 paid: 12.50 EUR")).toEqual({ ...paid, state: "PAID" });
    plugins.update({ "shop_orders.ts": code.replace("defineFilter({", "defineFilter({{") });
    await collector.untilLog(/"level":"error".*shop_orders/);
    expect(await next("order 4711 paid: 12.50 EUR")).toEqual({ ...paid, state: "PAID" });
    plugins.update({ "shop_orders.ts": code });
    await eventually(
      () => collector.stderr.match(/with the new version/g)?.length === 2,
      () => collector.stderr,
    );
    expect(await next("order 4711 paid: 12.50 EUR")).toEqual(paid);
    expect(await collector.stop()).toBe(0);
  });

  test.skipIf(journalToolsMissing !== undefined)("reads the node's journal too", async () => {
    using folder = new TempFolder();
    using sink = new HttpSink();
    new NodeLogs(folder.path, "cri", "/");
    const machine = "0123456789abcdef0123456789abcdef";
    const bootId = "f".repeat(32);
    for (const path of [`var/log/journal/${machine}`, "etc"]) {
      mkdirSync(folder.at(path), { recursive: true });
    }
    writeFileSync(folder.at("etc/machine-id"), `${machine}\n`);
    const write = (at: number, message: string, priority = "6") =>
      makeJournal(folder.at(`var/log/journal/${machine}/system.journal`), [{
        realtimeUs: Date.now() * 1000,
        monotonicUs: at,
        bootId,
        fields: [["MESSAGE", message], ["PRIORITY", priority], [
          "_SYSTEMD_UNIT",
          "kubelet.service",
        ]],
      }]);
    write(1, "before the start");
    await using pod = new Pod({
      manifests: kustomize("journald"),
      node: folder.path,
      account: await account(),
      files: { "90-outputs.yaml": outputTo(sink) },
    });
    const collector = await pod.start();
    write(2, "of no interest", "7");
    write(3, "node is ready");
    await eventually(() => sink.records.length > 0, () => collector.stderr, 15_000);
    expect(await collector.stop()).toBe(0);
    expect(sink.records).toMatchObject([
      { message: "node is ready", systemd_unit: "kubelet.service", node: "node-1" },
    ]);
  });

  test("delivers to an aggregator with the key of a secret", async () => {
    using folder = new TempFolder();
    const security = { serverHostname: "agg", sharedKey: "k", authorize: false, userDict: {} };
    const server = new FluentServer({ listenOptions: { port: 0, host: "127.0.0.1" }, security });
    const entries: { tag: string; body: Record<string, unknown> }[] = [];
    server.on("entry", (tag, _time, body) => void entries.push({ tag, body }));
    await server.listen();
    const node = new NodeLogs(folder.path, "cri", "/");
    const log = await startContainer(node, "forward-1");
    log.write("stdout", "to the aggregator");
    const manifests = kustomize("aggregator");
    const output = mountedAt(manifests, "/etc/logcollector")["90-outputs.yaml"]!
      .replace(/host: .*/, "host: 127.0.0.1").replace("24224", String(server.port));
    await using pod = new Pod({
      manifests,
      node: folder.path,
      account: await account(),
      files: { "90-outputs.yaml": output },
      env: { FORWARD_SHARED_KEY: "k" },
    });
    const collector = await pod.start();
    await eventually(() => entries.length === 1, () => collector.stderr, 15_000);
    expect(await collector.stop()).toBe(0);
    await server.close();
    const { name, namespace } = log.pod;
    expect(entries).toMatchObject([{
      tag: `kube.var.log.containers.${name}_${namespace}_app-${log.id}.log`,
      body: { log: "to the aggregator", kubernetes: { pod_name: name, labels: { app: name } } },
    }]);
  });
});
