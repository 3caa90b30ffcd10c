import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { HAS_KUBE_API, KubeApi } from "../support/kube-api.ts";
import type { ContainerLog } from "../support/kubelet-logs.ts";
import { TempFolder } from "../support/temp-folder.ts";
import { WATCH_PODS } from "./kubernetes-setup.ts";
import { NodeCollector } from "./node-collector.ts";

setDefaultTimeout(120_000);

describe.skipIf(!HAS_KUBE_API)("container logs, with a real API server", () => {
  let api: KubeApi;
  const folder = new TempFolder();
  const token = folder.at("token");
  beforeAll(async () => {
    api = await KubeApi.start();
    await api.makeAccount("collector", WATCH_PODS);
    writeFileSync(token, await api.token("collector"));
  });
  afterAll(async () => {
    await api?.[Symbol.asyncDispose]();
    folder[Symbol.dispose]();
  });

  /** What each record of a container says of its pod. */
  const metadataOf = (collector: NodeCollector, { link }: ContainerLog) =>
    new Set(
      collector.records.filter(({ file }) => file === link).map(({ kubernetes }) => {
        const { pod_name, namespace_name, container_name, pod_id, docker_id, labels } =
          kubernetes as Record<string, unknown>;
        return JSON.stringify([
          pod_name,
          namespace_name,
          container_name,
          pod_id,
          docker_id,
          labels,
        ]);
      }),
    );

  /** A pod of the API server with its folder on the node and one container that runs. */
  async function run(collector: NodeCollector, name: string, namespace: string, run = 0) {
    const labels = { job: name, run: String(run) };
    const { metadata: { uid } } = await api.makePod({ name, namespace, labels });
    const pod = collector.node.startPod(name, namespace, uid);
    const log = pod.start("app");
    const expected = JSON.stringify([name, namespace, "app", uid, log.id, labels]);
    return { pod, log, expected };
  }

  const withMetadata = () =>
    new NodeCollector("cri", {}, {
      filters: [{
        name: "kubernetes",
        match: "kube.*",
        node_name: "node-1",
        kube_url: api.url,
        kube_ca_file: api.caFile,
        kube_token_file: token,
      }],
    });

  test("of 300 pods that live for a moment 20,000 lines come, each with its pod's metadata", async () => {
    await using collector = withMetadata();
    await collector.start();
    for (let team = 0; team < 5; team++) await api.makeNamespace(`team-${team}`);
    // The watch begins with the first record: of pods that are gone by then nobody can know.
    const first = await run(collector, "first", "team-0");
    first.log.write("stdout", "first");
    await collector.untilLines(1);
    const started = [first];
    for (let wave = 0; wave < 15; wave++) {
      const pods = await Promise.all(
        Array.from(
          { length: 20 },
          (_, i) => run(collector, `job-${wave * 20 + i}`, `team-${i % 5}`),
        ),
      );
      for (const { log } of pods) {
        log.write("stdout", ...Array.from({ length: 60 }, (_, i) => `${log.id.slice(0, 8)} ${i}`));
        log.write("stderr", ...Array.from({ length: 7 }, (_, i) => `error ${i}`));
      }
      started.push(...pods);
      const { length } = started;
      await collector.untilMetric("input_files_opened_total", (n) => n >= length);
      for (const { pod } of pods) pod.delete();
      await Promise.all(pods.map(({ pod }) => api.deletePod(pod)));
    }
    const logs = started.map(({ log }) => log);
    await collector.expectAllOf(logs);
    const wrong = started.filter(({ log, expected }) =>
      !Bun.deepEquals(metadataOf(collector, log), new Set([expected]))
    );
    expect(wrong.map(({ log, expected }) => [expected, ...metadataOf(collector, log)])).toEqual([]);
    expect(collector.records).toHaveLength(20_101);
  });

  test("a pod that is made again under its name is another one", async () => {
    await using collector = withMetadata();
    await collector.start();
    const runs = [];
    for (let i = 0; i < 3; i++) {
      const one = await run(collector, "db-0", "default", i);
      one.log.write("stdout", `run ${i}`, "bye");
      runs.push(one);
      await collector.untilMetric("input_files_opened_total", (n) => n > i);
      await api.runPod({ name: "db-0" }, [{ name: "app", id: one.log.id }]);
      await collector.untilLines(2 * (i + 1));
      one.pod.delete();
      await api.deletePod(one.pod);
    }
    await collector.expectAllOf(runs.map(({ log }) => log));
    for (const { log, expected } of runs) {
      expect(metadataOf(collector, log)).toEqual(new Set([expected]));
    }
  });
});
