import { Database } from "bun:sqlite";
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { Collector } from "../support/binary.ts";
import { HAS_KUBE_API, KubeApi } from "../support/kube-api.ts";
import { untilMetric } from "../support/metric.ts";
import { TempFolder } from "../support/temp-folder.ts";

// What ends a test that waits in vain are the deadlines of what it waits for.
setDefaultTimeout(60_000);

const OWN = { name: "kubernetes_events.0" };

describe.skipIf(!HAS_KUBE_API)("kubernetes_events, with a real API server", () => {
  let api: KubeApi;
  let made = 0;
  beforeAll(async () => {
    api = await KubeApi.start();
    await api.makeNamespace("shop");
    const events = { apiGroups: [""], resources: ["events"] };
    await api.makeAccount("reader", { ...events, verbs: ["get", "list", "watch"] });
    await api.makeAccount("stranger");
  });
  afterAll(async () => await api?.[Symbol.asyncDispose]());

  /** Makes an event, as a controller does. */
  const make = (
    message: string,
    more: Readonly<Record<string, unknown>> = {},
    namespace = "default",
  ) =>
    api.request("POST", `/api/v1/namespaces/${namespace}/events`, {
      metadata: { name: `event-${made++}` },
      involvedObject: { kind: "Pod", name: "web-1", namespace },
      reason: "Started",
      type: "Normal",
      message,
      count: 1,
      lastTimestamp: `${new Date().toISOString().slice(0, 19)}Z`,
      ...more,
    });

  /** A collector that prints the events. */
  async function start(
    folder: TempFolder,
    options: Readonly<Record<string, unknown>> = {},
    account = "reader",
  ): Promise<Collector> {
    writeFileSync(folder.at("token"), await api.token(account));
    const input = {
      name: "kubernetes_events",
      kube_url: api.url,
      kube_ca_file: api.caFile,
      kube_token_file: folder.at("token"),
      db: folder.at("events.db"),
      ...options,
    };
    const config = {
      service: { flush: 0.05, http_server: "on", http_port: 0 },
      pipeline: {
        inputs: [input],
        outputs: [{
          name: "stdout",
          match: "*",
          format: "json_lines",
          json_date_format: "iso8601",
        }],
      },
    };
    writeFileSync(folder.at("config.yaml"), JSON.stringify(config));
    const collector = new Collector(["-c", folder.at("config.yaml")]);
    await collector.untilLog("started");
    return collector;
  }

  const messages = (collector: Collector) => collector.records.map(({ message }) => message);
  /** What the collector has printed is safe, and soon written down. */
  const untilSaved = async (folder: TempFolder, version: string) => {
    const saved = () => {
      using db = new Database(folder.at("events.db"), { readonly: true });
      const [table] = db.query("SELECT name FROM sqlite_master WHERE name LIKE '%position%'").all();
      const name = (table as { name: string } | undefined)?.name;
      return name !== undefined &&
        JSON.stringify(db.query(`SELECT * FROM ${name}`).all()).includes(version);
    };
    const until = Date.now() + 8000;
    while (!saved()) {
      if (Date.now() > until) throw new Error(`Version ${version} is not saved`);
      await Bun.sleep(10);
    }
  };

  test("gives events as they are, at the time when they last happened, and changes of them", async () => {
    using folder = new TempFolder();
    const lastTimestamp = `${new Date(Date.now() - 60_000).toISOString().slice(0, 19)}Z`;
    const event = await make("as it is", { lastTimestamp });
    await using collector = await start(folder);
    await collector.untilPrinted("as it is");
    const { date, ...body } = collector.records.find(({ message }) => message === "as it is")!;
    expect(Date.parse(String(date))).toBe(Date.parse(lastTimestamp));
    // What the server says only of an object alone.
    const { kind: _, apiVersion: __, ...item } = event;
    expect(body).toEqual(item);
    await api.request("PATCH", `/api/v1/namespaces/default/events/${event.metadata.name}`, {
      count: 2,
    });
    await collector.untilPrinted('"count":2');
    expect(await collector.stop()).toBe(0);
  });

  test("neither kills nor restarts of either side lose or repeat an event", async () => {
    using folder = new TempFolder();
    const log: unknown[] = [];
    await make("before 0");
    {
      await using collector = await start(folder);
      await collector.untilPrinted("before 0");
      const last = await make("watched 1");
      await collector.untilPrinted("watched 1");
      await untilSaved(folder, last.metadata.resourceVersion);
      collector.signal("SIGKILL");
      await collector.exit();
      log.push(...messages(collector));
    }
    await make("missed 2");
    {
      await using collector = await start(folder);
      await collector.untilPrinted("missed 2");
      await api.kill();
      await collector.untilLog("Cannot keep up with events");
      await api.resume();
      // The server has forgotten where the collector was: everything is listed again.
      const last = await make("after the restart 3");
      await collector.untilPrinted("after the restart 3");
      await untilSaved(folder, last.metadata.resourceVersion);
      collector.signal("SIGKILL");
      await collector.exit();
      log.push(...messages(collector));
    }
    await make("missed 4");
    await api.makeNamespace("last-change");
    await api.kill();
    await api.resume();
    {
      await using collector = await start(folder);
      await collector.untilPrinted("missed 4");
      expect(await collector.stop()).toBe(0);
      log.push(...messages(collector));
    }
    const own = log.filter((message) => /\d$/.test(String(message)));
    expect(own).toEqual(["before 0", "watched 1", "missed 2", "after the restart 3", "missed 4"]);
  });

  test("many events come page by page, each once", async () => {
    using folder = new TempFolder();
    await Promise.all(Array.from({ length: 450 }, (_, n) => make(`page ${n}`, {}, "shop")));
    await using collector = await start(folder, {
      kube_namespace: "shop",
      kube_request_limit: 100,
    });
    await collector.untilRecords(450);
    await make("the last", {}, "shop");
    await collector.untilPrinted("the last");
    await make("elsewhere");
    expect(await collector.stop()).toBe(0);
    expect(messages(collector)).toHaveLength(451);
    expect(new Set(messages(collector)).size).toBe(451);
    expect(messages(collector)).not.toContain("elsewhere");
  });

  test("events that are too old are left out, and counted", async () => {
    using folder = new TempFolder();
    const lastTimestamp = "2020-01-01T00:00:00Z";
    await make("long ago", { lastTimestamp });
    await using collector = await start(folder);
    const outdated = "input_kubernetes_events_outdated_total";
    await untilMetric(await collector.url(), outdated, OWN, (value) => value === 1);
    await make("now");
    await collector.untilPrinted('"now"');
    expect(messages(collector)).not.toContain("long ago");
  });

  test("a database of Fluent Bit's is taken over", async () => {
    using folder = new TempFolder();
    const event = await make("known to Fluent Bit");
    {
      using db = new Database(folder.at("events.db"));
      db.run(
        "CREATE TABLE in_kubernetes_events (id INTEGER PRIMARY KEY, uid TEXT NOT NULL, resourceVersion INTEGER NOT NULL, created INTEGER NOT NULL)",
      );
      db.run("INSERT INTO in_kubernetes_events (uid, resourceVersion, created) VALUES (?, ?, 0)", [
        event.metadata.uid,
        Number(event.metadata.resourceVersion),
      ]);
    }
    await make("new to us");
    await using collector = await start(folder);
    await collector.untilPrinted("new to us");
    expect(messages(collector)).toEqual(["new to us"]);
  });

  test("a cluster that was set back is listed again, with a warning", async () => {
    using folder = new TempFolder();
    {
      using db = new Database(folder.at("events.db"));
      db.run(
        "CREATE TABLE in_kubernetes_events (id INTEGER PRIMARY KEY, uid TEXT NOT NULL, resourceVersion INTEGER NOT NULL, created INTEGER NOT NULL)",
      );
      db.run(
        "INSERT INTO in_kubernetes_events (uid, resourceVersion, created) VALUES ('x', 900000, 0)",
      );
    }
    await using collector = await start(folder);
    await collector.untilLog("The cluster was set back to an earlier time");
    await make("afterwards");
    await collector.untilPrinted("afterwards");
  });

  test("an account without the right is named in the log", async () => {
    using folder = new TempFolder();
    await using collector = await start(folder, {}, "stranger");
    await collector.untilLog(
      /events is forbidden.*needs a role that may get, list and watch events/,
    );
    expect(await collector.stop()).toBe(0);
  });
});
