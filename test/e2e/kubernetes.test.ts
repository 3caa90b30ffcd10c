import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { Collector } from "../support/binary.ts";
import { eventually } from "../support/eventually.ts";
import { HAS_KUBE_API, KubeApi } from "../support/kube-api.ts";
import { metric, untilMetric } from "../support/metric.ts";
import { TempFolder } from "../support/temp-folder.ts";
import {
  containerId,
  type ContainerLog,
  type Enriched,
  Node,
  WATCH_PODS,
} from "./kubernetes-setup.ts";

// What ends a test that waits in vain are the deadlines of what it waits for.
setDefaultTimeout(60_000);

const OWN = { name: "kubernetes.0" };

describe.skipIf(!HAS_KUBE_API)("kubernetes, with a real API server", () => {
  let api: KubeApi;
  beforeAll(async () => {
    api = await KubeApi.start();
    await api.makeAccount("collector", WATCH_PODS);
    await api.makeAccount("stranger");
  });
  afterAll(async () => await api?.[Symbol.asyncDispose]());

  test("adds what the API server says of pod, container and namespace, in Fluent Bit's order", async () => {
    await api.makeNamespace("shop", { labels: { team: "blue" }, annotations: { cost: "7" } });
    const ownerReferences = [{
      apiVersion: "apps/v1",
      kind: "ReplicaSet",
      name: "web",
      uid: "3f2504e0-4f89-11d3-9a0c-0305e82c3301",
      controller: true,
    }];
    const pod = await api.makePod({
      namespace: "shop",
      name: "web-1",
      labels: { app: "web", "app.kubernetes.io/name": "web" },
      annotations: { note: "ü" },
      ownerReferences,
      containers: ["app", "side"],
    });
    await api.runPod({ namespace: "shop", name: "web-1" }, [
      { name: "side", id: containerId("b"), image: "side:2", imageID: "docker://sha256:22" },
      {
        name: "app",
        id: containerId("a"),
        image: "web:1",
        imageID: "docker-pullable://web@sha256:11",
      },
    ]);
    await using node = new Node();
    const log = { namespace: "shop", pod: "web-1" };
    node.write({ ...log, id: containerId("a") }, ["one", "two"]);
    node.write({ ...log, container: "side", id: containerId("b") }, ["three"]);
    await node.start(api, "collector", {
      owner_references: "on",
      namespace_labels: "on",
      namespace_annotations: "on",
    });
    await node.collector.untilRecords(3);
    const { kubernetes, kubernetes_namespace, ...rest } = await node.record("one");
    expect(Object.entries(kubernetes!)).toEqual(Object.entries({
      pod_name: "web-1",
      namespace_name: "shop",
      pod_id: pod.metadata.uid,
      labels: { app: "web", "app.kubernetes.io/name": "web" },
      annotations: { note: "ü" },
      ownerReferences,
      host: "node-1",
      pod_ip: "10.1.0.7",
      container_name: "app",
      docker_id: containerId("a"),
      container_hash: "web@sha256:11",
      container_image: "web:1",
    }));
    expect(Object.entries(kubernetes_namespace!)).toEqual(Object.entries({
      name: "shop",
      labels: { "kubernetes.io/metadata.name": "shop", team: "blue" },
      annotations: { cost: "7" },
    }));
    expect(rest).toMatchObject({ stream: "stdout", log: "one" });
    expect((await node.record("three")).kubernetes).toMatchObject({
      container_name: "side",
      container_image: "side:2",
      container_hash: "sha256:22",
    });
    expect(await metric(await node.collector.url(), "filter_kubernetes_pod_metadata_up", OWN)).toBe(
      1,
    );
    expect(await node.collector.stop()).toBe(0);
  });

  test("a pod that is made after the start is known with its first line", async () => {
    await using node = new Node();
    await node.start(api, "collector");
    const log = { pod: "late-1", id: containerId("1") };
    // The collector is ahead of the API server, which has not heard of the pod.
    node.write(log, ["early"]);
    await untilMetric(
      await node.collector.url(),
      "filter_kubernetes_waits_total",
      OWN,
      (value) => value === 1,
    );
    await api.makePod({ name: "late-1", labels: { app: "late" } });
    expect((await node.record("early")).kubernetes).toMatchObject({ labels: { app: "late" } });
    await api.request("PATCH", "/api/v1/namespaces/default/pods/late-1", {
      metadata: { labels: { app: "changed" } },
    });
    await api.runPod({ name: "late-1" }, [{ name: "app", id: containerId("1"), image: "late:3" }]);
    await untilLine(node, log, ({ kubernetes }) => kubernetes?.["container_image"] === "late:3");
    expect(node.records.at(-1)!.kubernetes).toMatchObject({ labels: { app: "changed" } });
  });

  test("a pod of the same name is another one: the container's id decides", async () => {
    await using node = new Node();
    const name = "db-0";
    const [old, young] = [containerId("c"), containerId("d")];
    await api.makePod({ name, labels: { version: "1" } });
    await api.runPod({ name }, [{ name: "app", id: old, image: "db:1" }]);
    await node.start(api, "collector");
    node.write({ pod: name, id: old }, ["first"]);
    await node.record("first");
    await api.deletePod({ name });
    await api.makePod({ name, labels: { version: "2" } });
    await api.runPod({ name }, [{ name: "app", id: young, image: "db:2" }]);
    node.write({ pod: name, id: young }, ["second"]);
    node.write({ pod: name, id: old }, ["last words"]);
    const image = async (log: string) => (await node.record(log)).kubernetes?.["container_image"];
    expect(await image("second")).toBe("db:2");
    expect(await image("last words")).toBe("db:1");
    expect((await node.record("last words")).kubernetes).toMatchObject({
      labels: { version: "1" },
    });

    await api.deletePod({ name });
    node.write({ pod: name, id: young }, ["after the end"]);
    expect(await image("after the end")).toBe("db:2");
  });

  test("a container that was started again belongs to its pod, with both ids", async () => {
    await using node = new Node();
    const name = "restarted";
    await api.makePod({ name, labels: { app: "r" } });
    await api.runPod({ name }, [{
      name: "app",
      id: containerId("e"),
      previous: containerId("f"),
      image: "r:1",
    }]);
    await node.start(api, "collector");
    for (const id of ["e", "f"]) node.write({ pod: name, id: containerId(id) }, [`of ${id}`]);
    for (const id of ["e", "f"]) {
      expect((await node.record(`of ${id}`)).kubernetes).toMatchObject({
        labels: { app: "r" },
        docker_id: containerId(id),
      });
    }
  });

  test("the logs of pods that were gone before the start wait for nothing", async () => {
    await using node = new Node();
    const time = new Date(Date.now() - 3_600_000);
    for (let n = 0; n < 20; n++) {
      node.write({ pod: `gone-${n}`, id: containerId("0") }, [`${n}`], { time });
    }
    await node.start(api, "collector", { kube_meta_wait: "1h" });
    await node.collector.untilRecords(20);
    expect((await node.record("7")).kubernetes).toEqual({
      pod_name: "gone-7",
      namespace_name: "default",
      container_name: "app",
      docker_id: containerId("0"),
    });
    const unknown = "filter_kubernetes_unknown_records_total";
    expect(await metric(await node.collector.url(), unknown, OWN)).toBe(20);
  });

  test("only the pods of its own node are watched", async () => {
    await api.makePod({ name: "here", labels: { app: "here" } });
    await api.makePod({ name: "elsewhere", node: "node-2", labels: { app: "elsewhere" } });
    await using node = new Node();
    const time = new Date(Date.now() - 3_600_000);
    node.write({ pod: "here", id: containerId("1") }, ["here"], { time });
    node.write({ pod: "elsewhere", id: containerId("2") }, ["elsewhere"], { time });
    await node.start(api, "collector");
    expect((await node.record("here")).kubernetes).toMatchObject({ labels: { app: "here" } });
    expect((await node.record("elsewhere")).kubernetes).not.toHaveProperty("labels");
  });

  test("without a node's name it asks for the node of its own pod", async () => {
    await api.makePod({ name: "collector-xyz", node: "node-3", labels: { app: "self" } });
    await using node = new Node();
    await Bun.write(node.folder.at("namespace"), "default");
    node.write({ pod: "collector-xyz", id: containerId("1") }, ["self"]);
    await node.start(api, "collector", { kube_namespace_file: node.folder.at("namespace") }, {
      HOSTNAME: "collector-xyz",
    });
    expect((await node.record("self")).kubernetes).toMatchObject({ host: "node-3" });
  });

  test("without any node's name logs flow, and the log says what to do", async () => {
    await using node = new Node();
    node.write({ pod: "here", id: containerId("1") }, ["one"]);
    await node.start(api, "collector", {}, { HOSTNAME: "nobody" });
    expect((await node.record("one")).kubernetes).not.toHaveProperty("labels");
    await node.collector.untilLog("the node's name is not known: set node_name, or NODE_NAME");
  });

  test("an account without the right is named in the log once, and logs flow", async () => {
    await using node = new Node();
    for (let n = 0; n < 10; n++) node.write({ pod: `p-${n}`, id: containerId("1") }, [`${n}`]);
    await node.start(api, "stranger", { kube_meta_wait: "1h" });
    await node.collector.untilRecords(10);
    const errors = node.collector.log.filter(({ level }) => level === "error");
    expect(errors).toMatchObject([{
      component: "kubernetes.0",
      message: expect.stringMatching(
        /^Cannot keep up with pods from https:.*: status is 403, pods is forbidden: User "system:serviceaccount:default:stranger" cannot list .* needs a role/,
      ),
    }]);
    expect(await node.collector.stop()).toBe(0);
  });

  test("a server that another authority has signed gets no token", async () => {
    await using node = new Node();
    const other = node.folder.at("other.crt");
    Bun.spawnSync(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=other"]
      .concat("-keyout", node.folder.at("other.key"), "-out", other));
    node.write({ pod: "here", id: containerId("1") }, ["one"]);
    await node.start(api, "collector", { kube_ca_file: other });
    expect((await node.record("one")).kubernetes).not.toHaveProperty("labels");
    await node.collector.untilLog(/no trusted authority has signed.*see kube_ca_file/);
  });

  test("a token that is not good any more is read again", async () => {
    await using node = new Node();
    await node.start(api, "collector");
    node.setToken("not.a.token");
    node.write({ pod: "here", id: containerId("1") }, ["one"]);
    expect((await node.record("one")).kubernetes).not.toHaveProperty("labels");
    await node.collector.untilLog(/status is 401.*kube_token_file/);
    node.setToken(await api.token("collector"));
    await node.collector.untilLog("Keeps up with pods");
    node.write({ pod: "here", id: containerId("1") }, ["two"]);
    expect((await node.record("two")).kubernetes).toMatchObject({ labels: { app: "here" } });
  });

  test("a command may give the token", async () => {
    await using node = new Node();
    node.write({ pod: "here", id: containerId("1") }, ["one"]);
    await node.start(api, "collector", { kube_token_command: `cat ${node.tokenFile}; echo` });
    expect((await node.record("one")).kubernetes).toMatchObject({ labels: { app: "here" } });
  });

  test("pods say what becomes of their logs, and may change their minds", async () => {
    const name = "chatty";
    await api.makePod({
      name,
      annotations: {
        "fluentbit.io/exclude_stderr": "true",
        "fluentbit.io/parser_stdout": "logfmt",
      },
    });
    await using node = new Node();
    await node.start(api, "collector", {
      "k8s-logging.parser": "on",
      "k8s-logging.exclude": "on",
      merge_log: "on",
      merge_log_key: "app",
    });
    const log = { pod: name, id: containerId("1") };
    node.write(log, ["hidden"], { stream: "stderr" });
    node.write(log, ['level=info msg="hello there"'], { stream: "stdout" });
    await node.collector.untilRecords(1);
    expect(node.records[0]).toMatchObject({
      stream: "stdout",
      app: { level: "info", msg: "hello there" },
      kubernetes: { pod_name: name },
    });
    await api.request("PATCH", `/api/v1/namespaces/default/pods/${name}`, {
      metadata: {
        annotations: { "fluentbit.io/exclude_stderr": null, "fluentbit.io/parser_stdout": null },
      },
    });
    await eventually(() => {
      node.write(log, ['{"a":1}'], { stream: "stderr" });
      return node.records.length > 1;
    });
    expect(node.records[1]).toMatchObject({ stream: "stderr", log: '{"a":1}', app: { a: 1 } });
  });

  test("a pod that nobody knows is waited for once, and not for long", async () => {
    await using node = new Node();
    await node.start(api, "collector", { kube_meta_wait: "50ms" });
    const url = await node.collector.url();
    const time = new Date(Date.now() - 3_600_000);
    node.write({ pod: "here", id: containerId("1") }, ["zero"], { time });
    await untilMetric(url, "filter_kubernetes_pod_lists_total", OWN, (value) => value === 1);
    const before = await metric(url, "filter_kubernetes_waits_total", OWN);
    node.write({ pod: "unknown", id: containerId("1") }, ["one"]);
    await node.record("one");
    node.write({ pod: "unknown", id: containerId("1") }, ["two"]);
    expect((await node.record("two")).kubernetes).not.toHaveProperty("labels");
    expect(await metric(url, "filter_kubernetes_waits_total", OWN)).toBe(before + 1);
    // It comes to be known later all the same.
    await api.makePod({ name: "unknown", labels: { app: "known" } });
    await untilLine(
      node,
      { pod: "unknown", id: containerId("1") },
      ({ kubernetes }) => kubernetes?.["labels"] !== undefined,
    );
  });

  test("the example kubernetes-metadata finds the API server as a pod does", async () => {
    await api.makePod({
      name: "example",
      namespace: "shop",
      labels: { app: "example" },
      annotations: { note: "long" },
    });
    using folder = new TempFolder();
    await Bun.write(folder.at("ca.crt"), Bun.file(api.caFile));
    await Bun.write(folder.at("token"), await api.token("collector"));
    const logs = folder.at("logs");
    const line = (text: string) => `${new Date().toISOString()} stdout F ${text}\n`;
    await Bun.write(
      `${logs}/example_shop_app-${containerId("1")}.log`,
      line('{"level":"info"}') + line("text"),
    );
    const bodies: Record<string, unknown>[] = [];
    using sink = new HttpSink((body) => bodies.push(...body));
    await using collector = new Collector(["-c", "config/kubernetes-metadata.yaml"], {
      env: {
        NODE_NAME: "node-1",
        KUBERNETES_SERVICE_HOST: "127.0.0.1",
        KUBERNETES_SERVICE_PORT: String(api.port),
        ACCOUNT: folder.path,
        KUBERNETES_LOGS: `${logs}/*.log`,
        KUBE_TAG_PREFIX: `kube.${logs.slice(1).replaceAll("/", ".")}.`,
        STATE_FOLDER: folder.path,
        READ_FROM_HEAD: "on",
        LOGCOLLECTOR_PORT: "0",
        ENDPOINT_PORT: String(sink.port),
      },
    });
    await eventually(() => bodies.length === 2, () => collector.stderr, 15_000);
    expect(bodies[0]).toMatchObject({
      app: { level: "info" },
      kubernetes: { labels: { app: "example" }, host: "node-1" },
      kubernetes_namespace: { name: "shop", labels: { team: "blue" } },
    });
    expect(bodies[0]).not.toHaveProperty("log");
    expect(bodies[0]!["kubernetes"]).not.toHaveProperty("annotations");
    expect(bodies[1]).toMatchObject({ log: "text", kubernetes: { pod_name: "example" } });
    expect(await collector.stop()).toBe(0);
  });

  test("while the API server is away logs flow, what is known stays known, and nothing waits", async () => {
    await using node = new Node();
    const known = { pod: "here", id: containerId("1") };
    await node.start(api, "collector", { kube_meta_wait: "1h" });
    node.write(known, ["before"]);
    await node.record("before");
    await api.kill();
    await node.collector.untilLog("Cannot keep up with pods");
    node.write(known, ["meanwhile"]);
    for (let n = 0; n < 5; n++) node.write({ pod: `new-${n}`, id: containerId("2") }, [`new ${n}`]);
    expect((await node.record("meanwhile")).kubernetes).toMatchObject({ labels: { app: "here" } });
    expect((await node.record("new 4")).kubernetes).toEqual({
      pod_name: "new-4",
      namespace_name: "default",
      container_name: "app",
      docker_id: containerId("2"),
    });
    await api.resume();
    await api.makePod({ name: "new-4", labels: { app: "new" } });
    await node.collector.untilLog("Keeps up with pods from .* again");
    await untilLine(
      node,
      { pod: "new-4", id: containerId("2") },
      ({ kubernetes }) => kubernetes?.["labels"] !== undefined,
    );
    const outages = node.collector.log.filter(({ level }) => level === "error");
    expect(outages.length).toBeLessThanOrEqual(3);
    expect(new Set(outages.map(({ message }) => message)).size).toBe(outages.length);
  });

  test("an API server that comes after the start is found", async () => {
    await api.kill();
    await using node = new Node();
    node.setToken("is.not.asked");
    node.write({ pod: "here", id: containerId("1") }, ["too early"]);
    await node.startWith({
      kube_url: api.url,
      kube_ca_file: api.caFile,
      kube_token_file: node.tokenFile,
      kube_meta_wait: "1h",
    }, { NODE_NAME: "node-1" });
    expect((await node.record("too early")).kubernetes).not.toHaveProperty("labels");
    await api.resume();
    node.setToken(await api.token("collector"));
    await node.collector.untilLog("Keeps up with pods");
    node.write({ pod: "here", id: containerId("1") }, ["in time"]);
    expect((await node.record("in time")).kubernetes).toMatchObject({ labels: { app: "here" } });
  });

  test("a server that has forgotten what happened meanwhile is asked for everything", async () => {
    await using node = new Node();
    const name = "forgotten";
    await api.makePod({ name, labels: { version: "1" } });
    await node.start(api, "collector");
    node.write({ pod: name, id: containerId("1") }, ["before"]);
    expect((await node.record("before")).kubernetes).toMatchObject({ labels: { version: "1" } });
    // The collector sees none of this, and the server that comes back knows only how it ended.
    node.collector.signal("SIGSTOP");
    await api.request("PATCH", `/api/v1/namespaces/default/pods/${name}`, {
      metadata: { labels: { version: "2" } },
    });
    await api.deletePod({ name: "here" });
    // The last change is none of a pod.
    await api.makeNamespace("last-change");
    await api.kill();
    await api.resume();
    await api.makePod({ name: "here", labels: { app: "another" } });
    node.collector.signal("SIGCONT");
    await untilLine(
      node,
      { pod: "here", id: containerId("1") },
      ({ kubernetes }) =>
        (kubernetes?.["labels"] as { app?: string } | undefined)?.app === "another",
    );
    node.write({ pod: name, id: containerId("1") }, ["after"]);
    expect((await node.record("after")).kubernetes).toMatchObject({ labels: { version: "2" } });
    const lists = "filter_kubernetes_pod_lists_total";
    expect(await metric(await node.collector.url(), lists, OWN)).toBe(2);
  });
});

/** Takes JSON lines, packed with gzip. */
class HttpSink implements Disposable {
  private readonly server: Bun.Server<undefined>;

  constructor(take: (records: Record<string, unknown>[]) => void) {
    this.server = Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      async fetch(request) {
        const text = new TextDecoder().decode(
          Bun.gunzipSync(new Uint8Array(await request.arrayBuffer())),
        );
        take(text.split("\n").filter(Boolean).map((line) => JSON.parse(line)));
        return new Response();
      },
    });
  }

  get port(): number {
    return this.server.port!;
  }

  [Symbol.dispose](): void {
    this.server.stop(true);
  }
}

/** Writes lines until one has become a record that is as it should be. */
async function untilLine(
  node: Node,
  log: ContainerLog,
  holds: (record: Enriched) => boolean,
): Promise<void> {
  let n = 0;
  await eventually(() => {
    node.write(log, [`try ${n++}`]);
    return node.records.some((record) => record.log.startsWith("try ") && holds(record));
  }, () => JSON.stringify(node.records.at(-1)));
}
