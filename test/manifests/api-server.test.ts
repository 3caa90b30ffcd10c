import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { HAS_KUBE_API, KubeApi } from "../support/kube-api.ts";
import {
  CHART,
  daemonSetOf,
  HAS_KUBE_TOOLS,
  kustomize,
  run,
  type Workload,
} from "../support/manifests.ts";
import { TempFolder } from "../support/temp-folder.ts";
import { pathOf } from "./api-path.ts";
import { RENDERED } from "./rendered.ts";

setDefaultTimeout(60_000);

describe.skipIf(!HAS_KUBE_TOOLS || !HAS_KUBE_API)("the manifests, with a real API server", () => {
  let api: KubeApi;
  beforeAll(async () => {
    api = await KubeApi.start();
    await api.makeNamespace("logcollector");
  });
  afterAll(async () => await api?.[Symbol.asyncDispose]());

  test.each(RENDERED)("%s: the server takes all of it, to the letter", async (_name, render) => {
    const manifests = render();
    for (const manifest of manifests) {
      // The server knows it only where Prometheus' operator has told it.
      if (manifest.kind === "ServiceMonitor" || manifest.kind === "Namespace") continue;
      const answer = await api.request(
        "POST",
        `${pathOf(manifest)}?dryRun=All&fieldValidation=Strict`,
        manifest,
      );
      expect(answer.metadata.name).toBe(manifest.metadata.name);
    }
    expect(manifests.length).toBeGreaterThan(1);
  });

  test("helm installs, changes and removes the chart", async () => {
    using folder = new TempFolder();
    await api.makeAccount("installer", { apiGroups: ["*"], resources: ["*"], verbs: ["*"] });
    const kubeconfig = {
      apiVersion: "v1",
      kind: "Config",
      "current-context": "test",
      contexts: [{ name: "test", context: { cluster: "test", user: "installer" } }],
      clusters: [{
        name: "test",
        cluster: { server: api.url, "certificate-authority": api.caFile },
      }],
      users: [{ name: "installer", user: { token: await api.token("installer") } }],
    };
    await Bun.write(folder.at("kubeconfig"), JSON.stringify(kubeconfig));
    const call = (command: string, ...args: string[]) =>
      run("helm", command, "logs", ...args, "-n", "x", "--kubeconfig", folder.at("kubeconfig"));
    const set = async () =>
      await api.request("GET", "/apis/apps/v1/namespaces/x/daemonsets/logs-logcollector");
    const notes = call("install", CHART, "--create-namespace");
    expect(notes).toContain("thrown away until you say where it is to go");
    expect(notes).toContain("kubectl --namespace x logs daemonset/logs-logcollector");
    const before = (await set() as unknown as Workload).spec.template.metadata;
    const forward = "forward.enabled=true,forward.host=agg";
    expect(call("upgrade", CHART, "--set", forward)).not.toContain("thrown away");
    // A changed configuration starts the pods anew.
    expect((await set() as unknown as Workload).spec.template.metadata).not.toEqual(before);
    call("uninstall");
    await expect(set()).rejects.toThrow(/not found/);
  });

  test("it would tell a field that does not exist", async () => {
    const set = daemonSetOf(kustomize("base"));
    const wrong = { ...set, spec: { ...set.spec, minReadySecond: 1 } };
    const path = `${pathOf(set)}?dryRun=All&fieldValidation=Strict`;
    await expect(api.request("POST", path, wrong)).rejects.toThrow(
      /unknown field "spec.minReadySecond"/,
    );
  });
});
