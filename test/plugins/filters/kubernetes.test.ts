import { afterEach, describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { Batch, type Body, type LineParser } from "logcollector/plugin";
import kubernetes from "../../../plugins/filters/kubernetes/mod.ts";
import { systemClock } from "../../../src/lib/clock.ts";
import { type TestContext, testContext } from "../../support/context.ts";
import { TempFolder } from "../../support/temp-folder.ts";
import { type FilterDriver, makeFilter } from "./filter-driver.ts";

const ID = "a1".repeat(32);
const SEC = 1_700_000_000;
const TAG = `kube.var.log.containers.web-1_shop_app-${ID}.log`;
/** Nobody is there: these tests go by files. */
const NOBODY = { kube_url: "http://127.0.0.1:1", node_name: "node-1" };

const open: { close(): void }[] = [];
afterEach(() => {
  for (const each of open.splice(0)) each.close();
});

const upper: LineParser = {
  name: "upper",
  parse: (line, sec, nsec) =>
    /^[A-Z]+$/.test(line) ? { sec: sec + 1, nsec, body: { upper: line, end: "x\n" } } : null,
};

function filterWith(
  options: Record<string, unknown>,
  ctx: TestContext = testContext({
    parser: (name) => {
      if (name === "upper") return upper;
      throw new Error(`unknown parser "${name}"`);
    },
  }),
): FilterDriver {
  const driver = makeFilter(kubernetes, { ...NOBODY, ...options }, ctx);
  open.push({ close: () => void driver.filter.close?.() });
  return driver;
}

interface Fed {
  readonly tag?: string;
}

async function feed(
  driver: FilterDriver,
  bodies: readonly Body[],
  { tag = TAG }: Fed = {},
): Promise<Body[]> {
  const records = bodies.map((body) => ({ sec: SEC, nsec: 7, body: { ...body } }));
  const batches = await driver.feedBatch(Batch.of(tag, records));
  return batches.flatMap((batch) => batch.records.map(({ body }) => body));
}

/** A filter whose pod web-1 has these annotations. */
function withPod(
  options: Record<string, unknown>,
  annotations: Readonly<Record<string, string>> = {},
): FilterDriver {
  const folder = new TempFolder();
  open.push({ close: () => folder[Symbol.dispose]() });
  const pod = {
    metadata: {
      name: "web-1",
      namespace: "shop",
      uid: "u-1",
      labels: { app: "web" },
      annotations,
      ownerReferences: [{ kind: "ReplicaSet", name: "web" }],
    },
    spec: { nodeName: "node-1" },
    status: {
      podIP: "10.1.1.1",
      containerStatuses: [
        { name: "side", image: "side:1" },
        {
          name: "app",
          image: "web:1",
          imageID: "docker-pullable://web@sha256:1",
          containerID: `docker://${ID}`,
        },
      ],
    },
  };
  writeFileSync(folder.at("shop_web-1.meta"), JSON.stringify(pod));
  writeFileSync(
    folder.at("shop.namespace_meta"),
    JSON.stringify({ metadata: { labels: { team: "blue" }, annotations: { cost: "7" } } }),
  );
  return filterWith({ kube_meta_preload_cache_dir: folder.path, ...options });
}

const META = {
  pod_name: "web-1",
  namespace_name: "shop",
  pod_id: "u-1",
  labels: { app: "web" },
  annotations: {},
  host: "node-1",
  pod_ip: "10.1.1.1",
  container_name: "app",
  docker_id: ID,
  container_hash: "web@sha256:1",
  container_image: "web:1",
};

describe("kubernetes", () => {
  test("adds the fields in Fluent Bit's order", async () => {
    const [first] = await feed(withPod({}), [{ log: "x" }]);
    expect(JSON.stringify(first)).toBe(JSON.stringify({ log: "x", kubernetes: META }));
  });

  test("labels, annotations and owner_references choose what there is", async () => {
    const options = { labels: "off", annotations: "off", owner_references: "on" };
    const [first] = await feed(withPod(options), [{ log: "x" }]);
    const { labels: _, annotations: __, ...rest } = META;
    expect(first!["kubernetes"]).toEqual({
      ...rest,
      ownerReferences: [{ kind: "ReplicaSet", name: "web" }],
    });
  });

  test("namespace_labels and namespace_annotations make kubernetes_namespace, also alone", async () => {
    const options = { namespace_labels: "on", namespace_annotations: "on" };
    const [first] = await feed(withPod({ ...options, namespace_metadata_only: "on" }), [{ a: 1 }]);
    expect(JSON.stringify(first)).toBe(
      '{"a":1,"kubernetes_namespace":{"name":"shop","labels":{"team":"blue"},"annotations":{"cost":"7"}}}',
    );
    const [second] = await feed(withPod({ namespace_labels: "on" }), [{ a: 1 }]);
    expect(Object.keys(second!)).toEqual(["a", "kubernetes", "kubernetes_namespace"]);
    expect(second!["kubernetes_namespace"]).toEqual({ name: "shop", labels: { team: "blue" } });
  });

  test("every record has fields of its own", async () => {
    const [one, two] = await feed(withPod({}), [{ log: "1" }, { log: "2" }]);
    ((one!["kubernetes"] as Body)["labels"] as Body)["app"] = "changed";
    expect(two!["kubernetes"]).toEqual(META);
    expect((await feed(withPod({}), [{}]))[0]!["kubernetes"]).toEqual(META);
  });

  test("use_tag_for_meta adds what the tag says", async () => {
    const [first] = await feed(filterWith({ use_tag_for_meta: "on" }), [{ log: "x" }]);
    expect(JSON.stringify(first!["kubernetes"])).toBe(
      `{"pod_name":"web-1","namespace_name":"shop","container_name":"app","docker_id":"${ID}"}`,
    );
  });

  test("a tag that is none of a container leaves the records as they are, and is counted", async () => {
    const driver = filterWith({ use_tag_for_meta: "on", merge_log: "on" });
    const log = '{"a":1}';
    for (const tag of ["kube.short", "kube.var.log.containers.nobody.log"]) {
      expect(await feed(driver, [{ log }], { tag })).toEqual([{ log }]);
    }
    expect(driver.ctx.counters.get("filter_kubernetes_unnamed_records_total")!.value).toBe(2);
    expect(driver.ctx.logged.filter(({ level }) => level === "warn")).toHaveLength(2);
  });

  test("regex_parser reads other tags", async () => {
    const parser: LineParser = {
      name: "own",
      parse(line, sec, nsec) {
        const [namespace_name, pod_name] = line.split("/");
        return pod_name ? { sec, nsec, body: { pod_name, namespace_name: namespace_name! } } : null;
      },
    };
    const ctx = testContext({ parser: () => parser });
    const options = { use_tag_for_meta: "on", kube_tag_prefix: "k8s.", regex_parser: "own" };
    const [first] = await feed(filterWith(options, ctx), [{}], { tag: "k8s.shop/web-1" });
    expect(first).toEqual({ kubernetes: { pod_name: "web-1", namespace_name: "shop" } });
  });

  test("use_journal takes the container from each entry, and passes on entries of others", async () => {
    const driver = withPod({ use_journal: "on" });
    const name = "k8s_app.1a2b_web-1_shop_0d3b_1";
    const [own, other, none] = await feed(driver, [
      { CONTAINER_NAME: name, MESSAGE: "1" },
      { CONTAINER_NAME: "docker-thing", MESSAGE: "2" },
      { MESSAGE: "3" },
    ], { tag: "journal" });
    expect(own!["kubernetes"]).toEqual({ ...META, container_hash: "1a2b" });
    expect([other, none]).toEqual([{ CONTAINER_NAME: "docker-thing", MESSAGE: "2" }, {
      MESSAGE: "3",
    }]);
  });

  test("dummy_meta adds the time", async () => {
    const [first] = await feed(filterWith({ dummy_meta: "on" }), [{ log: "x" }], { tag: "any" });
    expect((first!["kubernetes"] as Body)["dummy"]).toMatch(
      /^(Sun|Mon|Tue|Wed|Thu|Fri|Sat) [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d 2023$/,
    );
  });
});

/** An API server without pods, and how often each of its resources was listed. */
function emptyApi() {
  const lists: string[] = [];
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch(request) {
      const { pathname, searchParams } = new URL(request.url);
      if (searchParams.has("watch")) return new Response(new ReadableStream({ start() {} }));
      lists.push(`${pathname} ${searchParams.get("fieldSelector")}`);
      return Response.json({ metadata: { resourceVersion: "1" }, items: [] });
    },
  });
  open.push({ close: () => void server.stop(true) });
  return { lists, kube_url: `http://127.0.0.1:${server.port}` };
}

describe("kubernetes watches", () => {
  const real = () => testContext({ clock: systemClock as TestContext["clock"] });

  test("filters with equal options share one, of their node alone", async () => {
    const { lists, kube_url } = emptyApi();
    const options = { kube_url, namespace_labels: "on" };
    const old = { tag: TAG };
    for (const more of [{}, { merge_log: "on" }, { labels: "off" }]) {
      await feed(filterWith({ ...options, ...more }, real()), [{}], old);
    }
    expect(lists.sort()).toEqual([
      "/api/v1/namespaces null",
      "/api/v1/pods spec.nodeName=node-1",
      "/api/v1/pods spec.nodeName=node-1",
    ]);
  });

  test("nobody is asked before there are records, nor where that is not needed", async () => {
    const { lists, kube_url } = emptyApi();
    filterWith({ kube_url }, real());
    await feed(filterWith({ kube_url, use_tag_for_meta: "on" }, real()), [{}]);
    await feed(filterWith({ kube_url, dummy_meta: "on" }, real()), [{}]);
    await feed(
      filterWith({ kube_url, namespace_metadata_only: "on", namespace_labels: "on" }, real()),
      [{}],
    );
    expect(lists).toEqual(["/api/v1/namespaces null"]);
  });
});

describe("kubernetes merge_log", () => {
  const merged = async (options: Record<string, unknown>, body: Body): Promise<string> => {
    const driver = filterWith({ use_tag_for_meta: "on", merge_log: "on", ...options });
    const [first] = await feed(driver, [body]);
    delete first!["kubernetes"];
    return JSON.stringify(first);
  };
  const log = '{"level":"info","n":{"a":"b\\n"},"msg":"done\\n\\n"}\n';

  test("makes fields of JSON, trims the texts, and keeps log", async () => {
    expect(await merged({}, { stream: "stdout", log })).toBe(JSON.stringify({
      stream: "stdout",
      log,
      level: "info",
      n: { a: "b\n" },
      msg: "done",
    }));
  });

  test.each<[string, Record<string, unknown>, Body, object]>([
    ["keep_log off takes log away", { keep_log: "off" }, { log: '{"a":1}', b: 2 }, { b: 2, a: 1 }],
    ["what is no JSON stays", { keep_log: "off" }, { log: "text" }, { log: "text" }],
    ["two objects stay", { keep_log: "off" }, { log: '{"a":1}{"b":1}' }, { log: '{"a":1}{"b":1}' }],
    ["a list stays", {}, { log: "[1]" }, { log: "[1]" }],
    ["merge_log_key takes the fields", { merge_log_key: "m" }, { log: '{"a":1}' }, {
      log: '{"a":1}',
      m: { a: 1 },
    }],
    ["merge_log_key without fields is left out", { merge_log_key: "m", keep_log: "off" }, {
      log: "{}",
    }, {}],
    ["merge_log_trim off keeps line breaks", { merge_log_trim: "off", keep_log: "off" }, {
      log: '{"a":"x\\n"}',
    }, { a: "x\n" }],
    ["line breaks that are spelled out go as well", { keep_log: "off" }, {
      log: '{"a":"x\\\\n\\\\r\\n","b":"\\n","c":"x\\r"}',
    }, { a: "x", b: "\n", c: "x\r" }],
    ["a map is merged as it is", { keep_log: "off" }, { log: { a: "x\n" } }, { a: "x\n" }],
    ["a field of the same name gets the value", { keep_log: "off" }, {
      a: 1,
      b: 2,
      log: '{"a":3}',
    }, { a: 3, b: 2 }],
    ["without a field log nothing happens", {}, { msg: '{"a":1}' }, { msg: '{"a":1}' }],
    ["merge_parser takes the place of JSON", { merge_parser: "upper", keep_log: "off" }, {
      log: "ABC",
    }, { upper: "ABC", end: "x" }],
    ["what merge_parser does not take stays", { merge_parser: "upper", keep_log: "off" }, {
      log: '{"a":1}',
    }, { log: '{"a":1}' }],
  ])("%s", async (_, options, body, expected) => {
    expect(await merged(options, body)).toBe(JSON.stringify(expected));
  });

  test("a parser's time becomes the record's", async () => {
    const driver = filterWith({ use_tag_for_meta: "on", merge_log: "on", merge_parser: "upper" });
    const [batch] = await driver.feedBatch(
      Batch.of(TAG, [{ sec: SEC, nsec: 7, body: { log: "ABC" } }]),
    );
    expect(batch!.records[0]).toMatchObject({ sec: SEC + 1, nsec: 7 });
  });
});

describe("kubernetes annotations", () => {
  const bodies: Body[] = [
    { stream: "stdout", log: "OUT" },
    { stream: "stderr", log: "ERR" },
    { log: "NONE" },
  ];
  const left = async (annotations: Record<string, string>, options: Record<string, unknown> = {}) =>
    (await feed(withPod({ "k8s-logging.exclude": "on", ...options }, annotations), bodies))
      .map(({ log }) => log);

  test.each<[Record<string, string>, string[]]>([
    [{ "fluentbit.io/exclude": "true" }, []],
    [{ "fluentbit.io/exclude": "Yes" }, []],
    [{ "fluentbit.io/exclude": "1" }, ["OUT", "ERR", "NONE"]],
    [{ "fluentbit.io/exclude_stdout": "true" }, ["ERR", "NONE"]],
    [{ "fluentbit.io/exclude_stderr": "on" }, ["OUT", "NONE"]],
    [{ "fluentbit.io/exclude-app": "true" }, []],
    [{ "fluentbit.io/exclude_stderr-app": "true" }, ["OUT", "NONE"]],
    [{ "fluentbit.io/exclude-side": "true" }, ["OUT", "ERR", "NONE"]],
    [{ "fluentbit.io/exclude": "true", "fluentbit.io/exclude-app": "false" }, [
      "OUT",
      "ERR",
      "NONE",
    ]],
    [{ "fluentbit.io/exclude-app": "false", "fluentbit.io/exclude_stdout": "true" }, [
      "OUT",
      "ERR",
      "NONE",
    ]],
  ])("%j leaves %j", async (annotations, expected) => {
    expect(await left(annotations)).toEqual(expected);
  });

  test("what is not allowed, or means nothing, is said and not done", async () => {
    const driver = withPod({ merge_log: "on" }, {
      "fluentbit.io/exclude": "true",
      "fluentbit.io/parser": "upper",
      "fluentbit.io/exclude_stdin": "true",
      "fluentbit.io/parser-": "upper",
      "fluentbit.io/other": "x",
    });
    const result = await feed(driver, bodies);
    expect(result.map(({ upper }) => upper)).toEqual([undefined, undefined, undefined]);
    const warnings = driver.ctx.logged.filter(({ level }) => level === "warn");
    expect(warnings.map(({ message }) => message)).toEqual([
      expect.stringContaining("exclude, and k8s-logging.exclude is off"),
      expect.stringContaining("parser, and k8s-logging.parser is off"),
      expect.stringContaining("exclude_stdin, which means nothing"),
      expect.stringContaining("parser-, which means nothing"),
      expect.stringContaining("other, which means nothing"),
    ]);
  });

  const parsed = async (annotations: Record<string, string>) => {
    const driver = withPod({ "k8s-logging.parser": "on", merge_log: "on" }, annotations);
    return (await feed(driver, bodies)).map(({ upper }) => upper);
  };

  test("fluentbit.io/parser names the parser, also for one stream or container", async () => {
    expect(await parsed({ "fluentbit.io/parser": "upper" })).toEqual(["OUT", "ERR", "NONE"]);
    expect(await parsed({ "fluentbit.io/parser_stderr": "upper" })).toEqual([
      undefined,
      "ERR",
      undefined,
    ]);
    expect(await parsed({ "fluentbit.io/parser_stdout-app": "upper" })).toEqual([
      "OUT",
      undefined,
      undefined,
    ]);
    expect(await parsed({ "fluentbit.io/parser": "nobody" })).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });
});

describe("kubernetes options", () => {
  test.each<[Record<string, unknown>, RegExp]>([
    [{ kube_url: "kubernetes:443" }, /expected https:\/\/HOST:PORT/],
    [{ kube_url: "https://user:secret@host" }, /use kube_token_file/],
    [{ node_name: "a,b=c" }, /cannot be the name of a node/],
    [{ merge_parser: "nobody" }, /unknown parser "nobody"/],
    [{ regex_parser: "nobody" }, /unknown parser "nobody"/],
    [{ namespace_metadata_only: "on" }, /nothing is left to add/],
    [{ use_pod_association: "on" }, /not supported/],
    [{ aws_use_pod_association: "on" }, /not supported/],
    [{ use_kubelet: "on", kubelet_host: "a b" }, /no host/],
  ])("%j is a mistake", (options, message) => {
    expect(() => filterWith(options)).toThrow(message);
  });
});
