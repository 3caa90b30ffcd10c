import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { cpSync } from "node:fs";
import { parse } from "yaml";
import { Collector } from "../support/binary.ts";
import {
  CHART,
  daemonSetOf,
  find,
  HAS_KUBE_TOOLS,
  helm,
  kustomize,
  layOut,
  type Manifest,
  mountedAt,
  run,
  type Workload,
} from "../support/manifests.ts";
import { TempFolder } from "../support/temp-folder.ts";
import { PLUGIN, RENDERED, SHOP_ORDERS } from "./rendered.ts";

setDefaultTimeout(60_000);

describe.skipIf(!HAS_KUBE_TOOLS)("the manifests", () => {
  test.each(RENDERED)("%s: its configuration is right", async (_name, render) => {
    using folder = new TempFolder();
    const manifests = render();
    const config = layOut(manifests, folder.path);
    cpSync("config/kubernetes/components/plugin-image/plugins", folder.at("plugins"), {
      recursive: true,
    });
    const { containers } = daemonSetOf(manifests).spec.template.spec;
    // What a pod has: those that are named there, and none of this machine.
    const env = Object.fromEntries(containers[0]!.env.map(({ name }) => [name, "value"]));
    const collector = await Collector.run(["-c", config, "--dry-run"], { env });
    expect(collector.stderr).toBe("");
    expect(collector.status).toBe(0);
    expect(collector.stdout).toContain("configuration test is successful");
  });

  test.each(RENDERED)(
    "%s: a pod stops in order, and nothing is collected of itself",
    (_, render) => {
      const manifests = render();
      const { metadata: { name, namespace }, spec } = daemonSetOf(manifests);
      const files = Object.values(mountedAt(manifests, "/etc/logcollector")).map((text) =>
        parse(text)
      );
      const { service } = files.find((file) => "includes" in file);
      expect(spec.template.spec.terminationGracePeriodSeconds).toBeGreaterThan(service.grace + 30);
      expect(Number(spec["minReadySeconds"])).toBeGreaterThan(service.hc_period);
      for (const input of files.flatMap((file) => file.pipeline?.inputs ?? [])) {
        if (input.name !== "tail") continue;
        expect(input.exclude_path).toStartWith(`/var/log/containers/${name}-*_${namespace}_*.log`);
      }
    },
  );

  const withEvents = RENDERED.map(([name, render]) => [name, render] as const)
    .filter(([name]) => /events|several|everything/.test(name));
  test.each(withEvents)(
    "%s: the configuration of the pod for events is right",
    async (_, render) => {
      using folder = new TempFolder();
      const manifests = render();
      const workload = find<Workload>(manifests, "Deployment");
      const config = layOut(manifests, folder.path, workload);
      const { containers } = workload.spec.template.spec;
      const env = Object.fromEntries(containers[0]!.env.map(({ name }) => [name, "value"]));
      const collector = await Collector.run(["-c", config, "--dry-run"], { env });
      expect([collector.status, collector.stderr]).toEqual([0, ""]);
      const files = mountedAt(manifests, "/etc/logcollector", workload);
      expect(Object.keys(files).sort()).toEqual([
        "10-events.yaml",
        "90-outputs.yaml",
        "logcollector.yaml",
      ]);
    },
  );

  test("the chart by default is the base", () => {
    const base = kustomize("base");
    const chart = helm();
    expect(essenceOf(chart)).toEqual(essenceOf(base));
    const kinds = (all: readonly Manifest[]) => all.map(({ kind }) => kind).sort();
    // The namespace is the release's.
    expect(kinds(chart)).toEqual(kinds(base).filter((kind) => kind !== "Namespace"));
    const rules = (all: readonly Manifest[]) =>
      all.find(({ kind }) => kind === "ClusterRole")!["rules"];
    expect(rules(chart)).toEqual(rules(base));
  });

  test.each(["journald", "docker", "plugin-configmap", "plugin-image", "aggregator"])(
    "the chart can do what the component %s does",
    (component) => {
      const values = CHART_VALUES[component]!;
      expect(essenceOf(helm(values))).toEqual(essenceOf(kustomize(component)));
    },
  );

  test("helm lint has nothing to say", () => {
    const said = run("helm", "lint", "--strict", CHART);
    expect(said).toContain("1 chart(s) linted, 0 chart(s) failed");
    expect(said).not.toMatch(/WARNING|ERROR/);
  });

  test.each([
    ["a value that is not known", { output: [] }, /additional properties 'output' not allowed/],
    ["one without a name", { outputs: [{ match: "*" }] }, /missing property 'name'/],
    [
      "a plugin that is none",
      { plugins: { files: { "a.py": "" } } },
      /'a.py' does not match pattern/,
    ],
    ["an aggregator without address", { forward: { enabled: true } }, /forward.host: set the name/],
  ])("the chart refuses %s", (_, values, message) => {
    expect(() => helm(values)).toThrow(message);
  });
});

const CHART_VALUES: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  journald: { journald: { enabled: true } },
  docker: { containers: { docker: true } },
  "plugin-configmap": {
    plugins: { files: { "shop_orders.ts": PLUGIN } },
    filters: [{ alias: "shop_orders", ...SHOP_ORDERS }],
  },
  "plugin-image": {
    plugins: { folders: ["/plugins"] },
    filters: [{ alias: "shop_orders", ...SHOP_ORDERS }],
    image: { repository: "registry.example.com/logcollector-shop", tag: "1" },
  },
  aggregator: {
    forward: {
      enabled: true,
      host: "aggregator.logging.svc",
      sharedKeySecret: { name: "logcollector-aggregator", key: "shared-key" },
    },
  },
};

/** The pod and its configuration, without what each way of installing it calls things. */
function essenceOf(manifests: readonly Manifest[]): object {
  const { spec: { selector: _selector, template, ...spec } } = daemonSetOf(manifests);
  const { containers, volumes, ...pod } = template.spec;
  const { imagePullPolicy: _policy, ...container } = containers[0]!;
  const byName = <T extends { readonly name: string }>(all: readonly T[]) =>
    all.toSorted((a, b) => a.name < b.name ? -1 : 1);
  const filesAt = (path: string) =>
    Object.entries(mountedAt(manifests, path)).map(([name, text]) =>
      [name, name.endsWith(".yaml") ? inWords(parse(text)) : text.trimEnd()] as const
    ).sort();
  return {
    spec,
    pod,
    container: {
      ...container,
      env: byName(container.env),
      volumeMounts: byName(container.volumeMounts),
    },
    volumes: byName(volumes).map(({ configMap, ...volume }) => ({
      ...volume,
      isConfigMap: configMap !== undefined,
    })),
    config: filesAt("/etc/logcollector"),
    plugins: container.volumeMounts.some(({ mountPath }) => mountPath === "/plugins")
      ? filesAt("/plugins")
      : undefined,
  };
}

/** YAML has more than one word for a switch. */
function inWords(value: unknown): unknown {
  if (value === true) return "on";
  if (value === false) return "off";
  if (Array.isArray(value)) return value.map(inWords);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, inWords(each)]));
}
