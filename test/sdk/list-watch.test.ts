import { describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import {
  type KubeApiConfig,
  kubeApiFields,
  kubeClient,
  type KubeObject,
  listItems,
  listWatch,
  type WatchedList,
} from "logcollector/plugin";
import * as z from "zod";
import { systemClock } from "../../src/lib/clock.ts";
import { eventually } from "../support/eventually.ts";
import { type Answer, change, fakeKubeApi, list, status, watch } from "../support/fake-kube-api.ts";
import { HAS_KUBE_API, KubeApi } from "../support/kube-api.ts";
import { Random } from "../support/random.ts";
import { TempFolder } from "../support/temp-folder.ts";

/** Pauses between attempts pass at once, and are remembered. */
class QuickClock {
  readonly pauses: number[] = [];
  nowMs = systemClock.nowMs;
  wall = systemClock.wall;
  after = systemClock.after;
  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    this.pauses.push(ms);
    return systemClock.sleep(1, signal);
  }
}

/** A list and a watch, with everything that they told. */
class Follower implements AsyncDisposable {
  readonly told: string[] = [];
  readonly errors: string[] = [];
  readonly clock = new QuickClock();
  private readonly stopped = new AbortController();
  private readonly running: Promise<void>;

  constructor(
    options: Partial<Record<keyof KubeApiConfig, unknown>>,
    list: WatchedList = { path: "/api/v1/pods" },
    onListed: () => Promise<void> | undefined = () => undefined,
  ) {
    const config = z.object(kubeApiFields()).parse({ kube_token_file: "/nowhere", ...options });
    const name = ({ metadata }: KubeObject) => metadata?.name;
    const watch = listWatch(kubeClient(config, this.clock), list, {
      listStarts: () => void this.told.push("list"),
      listed: (object) => {
        this.told.push(`has ${name(object)}`);
        return onListed();
      },
      listEnds: (version) => void this.told.push(`at ${version}`),
      changed: (type, object) => void this.told.push(`${type} ${name(object)}`),
      reached: (version) => void this.told.push(`now ${version}`),
      failed: (error) => void this.errors.push(error.message),
      watching: () => void this.told.push("watch"),
    }, this.clock);
    this.running = watch.run(this.stopped.signal);
  }

  async until(what: string, times = 1): Promise<void> {
    await eventually(
      () => this.told.filter((told) => told === what).length >= times,
      () => JSON.stringify([this.told, this.errors]),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.stopped.abort();
    await this.running;
  }
}

const open = watch([change("BOOKMARK", "-", "99")], true);

describe("listWatch", () => {
  test("lists page by page and watches from there; changes may be cut anywhere", async () => {
    const text = change("ADDED", "ü", "6") + change("DELETED", "a", "7");
    const bytes = [...text].map((letter) => letter);
    using api = fakeKubeApi(list("5", ["a", "b"], "more"), list("5", ["c"]), watch(bytes), open);
    await using follower = new Follower(api.options, {
      path: "/api/v1/pods",
      fieldSelector: "spec.nodeName=n",
    });
    await follower.until("now 99");
    expect(follower.told).toEqual([
      "list",
      "has a",
      "has b",
      "has c",
      "at 5",
      "watch",
      "ADDED ü",
      "now 6",
      "DELETED a",
      "now 7",
      "watch",
      "now 99",
    ]);
    expect(follower.errors).toEqual([]);
    const asked = api.asked.map((query) => Object.fromEntries(new URLSearchParams(query)));
    expect(asked).toMatchObject([
      { limit: "50", resourceVersion: "0", fieldSelector: "spec.nodeName=n" },
      { limit: "50", continue: "more" },
      { watch: "1", resourceVersion: "5", allowWatchBookmarks: "true" },
      { watch: "1", resourceVersion: "7", fieldSelector: "spec.nodeName=n" },
    ]);
    expect(asked[1]).not.toHaveProperty("resourceVersion");
    expect(Number(asked[2]!["timeoutSeconds"])).toBeGreaterThanOrEqual(450);
  });

  const gone = `${JSON.stringify({ type: "ERROR", object: { code: 410, message: "too old" } })}\n`;
  test.each<[string, Answer]>([
    ["as an answer", status(410, "too old")],
    ["in the watch", watch([gone])],
  ])("410 %s is no failure: everything is listed again, not from memory", async (_, answer) => {
    using api = fakeKubeApi(list("5", ["a"]), answer, list("9", ["b"]), open);
    await using follower = new Follower(api.options);
    await follower.until("now 99");
    expect(follower.told.filter((told) => !told.startsWith("watch"))).toEqual([
      "list",
      "has a",
      "at 5",
      "list",
      "has b",
      "at 9",
      "now 99",
    ]);
    expect(follower.errors).toEqual([]);
    expect(new URLSearchParams(api.asked[2]).has("resourceVersion")).toBe(false);
  });

  test("410 between two pages begins the list again", async () => {
    const answers = [list("5", ["a"], "more"), status(410, "expired"), list("9", ["a", "b"]), open];
    using api = fakeKubeApi(...answers);
    await using follower = new Follower(api.options);
    await follower.until("now 99");
    expect(follower.told.slice(0, 6)).toEqual(["list", "has a", "list", "has a", "has b", "at 9"]);
  });

  test("410 again and again is waited out with growing pauses", async () => {
    const turns = Array.from({ length: 6 }, () => [list("5", []), watch([gone])]).flat();
    using api = fakeKubeApi(...turns, list("6", []), open);
    await using follower = new Follower(api.options);
    await follower.until("now 99");
    const { pauses } = follower.clock;
    expect(pauses).toHaveLength(5);
    expect(pauses[4]!).toBeGreaterThan(pauses[0]!);
  });

  test("failures are told, with pauses that grow, and the watch goes on where it was", async () => {
    using api = fakeKubeApi(
      status(500, "etcd is away"),
      status(503, "later", { "Retry-After": "7" }),
      list("5", ["a"]),
      watch([change("ADDED", "b", "6")]),
      status(500, "etcd is away"),
      open,
    );
    await using follower = new Follower(api.options);
    await follower.until("now 99");
    expect(follower.errors).toEqual([
      "status is 500, etcd is away",
      "status is 503, later",
      "status is 500, etcd is away",
    ]);
    const [first, second, third] = follower.clock.pauses;
    expect(first).toBeWithin(250, 501);
    expect(second).toBe(7000);
    expect(third).toBeWithin(250, 501);
    expect(follower.told.filter((told) => told === "list")).toHaveLength(3);
    expect(new URLSearchParams(api.asked[5]).get("resourceVersion")).toBe("6");
  });

  test.each<[string, Answer, RegExp]>([
    ["a list that is cut short", () => new Response('{"items":[{"a":1}'), /cut short/],
    ["no list at all", () => new Response("<html>"), /./],
    ["a list without a version", () => Response.json({ items: [] }), /no list/],
    ["nothing", () => new Response(""), /cut short/],
    ["a list without end", () => new Response(`{"x":"${"y".repeat(100_000)}"}`), /no list/],
    [
      "an object without end",
      () => new Response(`{"items":[{"x":"${"y".repeat(9 << 20)}"}]}`),
      /more than 8 MiB/,
    ],
  ])("%s is a failure", async (_, answer, message) => {
    using api = fakeKubeApi(answer, list("5", ["a"]), open);
    await using follower = new Follower(api.options);
    await follower.until("now 99");
    expect(follower.errors).toEqual([expect.stringMatching(message)]);
    expect(follower.told).toContain("at 5");
  });

  test.each<[string, string[], RegExp]>([
    ["a change without end", ["x".repeat(9 << 20)], /more than 8 MiB/],
    ["a line that is no JSON", ["{\n"], /JSON/],
    ["an unknown type", [change("MOVED", "a", "6")], /unknown type "MOVED"/],
    ["an error", [`{"type":"ERROR","object":{"code":500,"message":"x"}}\n`], /status is 500, x/],
    ["an end at once", [], /ends the watch at once/],
  ])("%s in a watch is a failure, and the watch begins again", async (_, parts, message) => {
    using api = fakeKubeApi(list("5", []), watch(parts), open);
    await using follower = new Follower(api.options);
    await follower.until("now 99");
    expect(follower.errors).toEqual([expect.stringMatching(message)]);
    expect(new URLSearchParams(api.asked[2]).get("resourceVersion")).toBe("5");
  });

  test("goes on where an earlier one was", async () => {
    using api = fakeKubeApi(open);
    const path = "/api/v1/events";
    await using follower = new Follower(api.options, { path, resourceVersion: "42" });
    await follower.until("now 99");
    expect(follower.told).not.toContain("list");
    expect(new URLSearchParams(api.asked[0]).get("resourceVersion")).toBe("42");
  });

  test("a token that is refused is read again at once, another time with the next attempt", async () => {
    using folder = new TempFolder();
    const file = folder.at("token");
    writeFileSync(file, "old\n");
    const tokens: (string | null)[] = [];
    const check: Answer = (url, request) => {
      tokens.push(request.headers.get("authorization"));
      if (tokens.length === 1) writeFileSync(file, "new\n");
      if (tokens.at(-1) !== "Bearer new") return status(401, "Unauthorized")(url, request);
      return (url.searchParams.has("watch") ? open : list("5", []))(url, request);
    };
    using api = fakeKubeApi(check);
    await using follower = new Follower({ ...api.options, kube_token_file: file });
    await follower.until("now 99");
    expect(tokens).toEqual(["Bearer old", "Bearer new", "Bearer new"]);
    expect(follower.errors).toEqual([]);
  });

  test("what a handler throws ends it", async () => {
    using api = fakeKubeApi(list("5", ["a"]));
    const config = z.object(kubeApiFields()).parse({ ...api.options, kube_token_file: "/nowhere" });
    const client = kubeClient(config, systemClock);
    const running = listWatch(client, { path: "/x" }, {
      listStarts() {},
      listed() {
        throw new Error("no room");
      },
      listEnds() {},
      changed() {},
      failed() {},
      watching() {},
    }, systemClock).run(new AbortController().signal);
    expect(running).rejects.toThrow("no room");
  });
});

describe("listItems", () => {
  test("gives every item, however the list is cut, without what nobody wants", () => {
    const seed = Number(process.env["SEED"] ?? Date.now() % 1e9);
    console.log(`seed ${seed}`);
    const chance = new Random(seed);
    for (let round = 0; round < 300; round++) {
      const items = Array.from({ length: chance.below(5) }, (_, n) => ({
        metadata: { name: `"{[\\${n}ü`, big: [{ a: "]}" }, [1]], labels: { big: "text" } },
        spec: { big: { deep: { big: [] } } },
      }));
      const value = { kind: "List", metadata: { resourceVersion: "1" }, items, other: [1, [2]] };
      const bytes = Buffer.from(JSON.stringify(value));
      const reader = listItems(["big"]);
      const found: unknown[] = [];
      const size = 1 + chance.below(bytes.length);
      for (let at = 0; at < bytes.length; at += size) {
        for (const text of reader.push(bytes.subarray(at, at + size))) found.push(JSON.parse(text));
      }
      const isWhole = size >= bytes.length;
      const left = (item: typeof items[number]) => ({
        ...item,
        metadata: { ...item.metadata, big: null },
        spec: { big: null },
      });
      if (isWhole) expect(found).toEqual(items.map(left));
      else {
        const names = (list: readonly unknown[]) =>
          list.map((item) => (item as typeof items[number]).metadata.name);
        expect(names(found)).toEqual(names(items));
        expect(found.every((item) => (item as typeof items[number]).metadata.labels.big === "text"))
          .toBe(true);
      }
      expect(reader.end()).toMatchObject({ kind: "List", metadata: { resourceVersion: "1" } });
    }
  });
});

test.skipIf(!HAS_KUBE_API)(
  "a real API server gives pages, and what changes while they are read",
  async () => {
    await using api = await KubeApi.start();
    using folder = new TempFolder();
    await api.makeAccount("reader", {
      apiGroups: [""],
      resources: ["configmaps"],
      verbs: ["get", "list", "watch"],
    });
    writeFileSync(folder.at("token"), await api.token("reader"));
    const path = "/api/v1/namespaces/default/configmaps";
    const make = (name: string) => api.request("POST", path, { metadata: { name } });
    for (let n = 0; n < 7; n++) await make(`map-${n}`);
    let isMade = false;
    await using follower = new Follower(
      { kube_url: api.url, kube_ca_file: api.caFile, kube_token_file: folder.at("token") },
      { path, pageSize: 2 },
      () => {
        if (isMade) return undefined;
        isMade = true;
        return make("meanwhile").then(() => undefined);
      },
    );
    await eventually(() => follower.told.some((told) => /^(ADDED|has) meanwhile$/.test(told)));
    for (let n = 0; n < 7; n++) expect(follower.told).toContain(`has map-${n}`);
    await make("later");
    await follower.until("ADDED later");
    expect(follower.errors).toEqual([]);
  },
  60_000,
);
