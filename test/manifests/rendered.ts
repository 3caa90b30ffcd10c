import { readdirSync } from "node:fs";
import { helm, kustomize, kustomizeWith, type Manifest } from "../support/manifests.ts";

const OVERLAYS = readdirSync("config/kubernetes/overlays");

/** The example of a plugin. */
export const PLUGIN: string = await Bun.file(
  "config/kubernetes/components/plugin-configmap/shop_orders.ts",
)
  .text();
/** A filter that it defines. */
export const SHOP_ORDERS = { name: "shop_orders", match: "kube.*_shop_*" };
/** Values of the chart, and what each is about. */
const VALUES: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  "its defaults": {},
  "an output with a secret": {
    outputs: [{ name: "http", match: "*", host: "logs", header: "Authorization Bearer ${TOKEN}" }],
    env: [{ name: "TOKEN", valueFrom: { secretKeyRef: { name: "logs", key: "token" } } }],
    envFrom: [{ secretRef: { name: "more", optional: true } }],
  },
  "everything": {
    forward: {
      enabled: true,
      host: "aggregator",
      sharedKeySecret: { name: "aggregator", key: "shared-key" },
      options: { tls: "on" },
    },
    containers: { exclude: ["/var/log/containers/*_kube-system_*.log"], docker: true },
    journald: { enabled: true },
    events: { enabled: true, options: { kube_namespace: "shop" } },
    service: { flush: 5, "storage.max_chunks_up": 64 },
    inputs: [{ name: "dummy", tag: "heartbeat" }],
    filters: [SHOP_ORDERS],
    parsers: [{ name: "plain", format: "regex", regex: "^(?<message>.*)$" }],
    plugins: { files: { "shop_orders.ts": PLUGIN } },
    extraFiles: { "30-more.yaml": "pipeline: {inputs: [{name: dummy, tag: more}]}" },
    imagePullSecrets: [{ name: "registry" }],
    affinity: {
      nodeAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: {
          nodeSelectorTerms: [{ matchExpressions: [{ key: "logs", operator: "DoesNotExist" }] }],
        },
      },
    },
    podLabels: { team: "platform" },
    securityContext: {
      seLinuxOptions: { type: "spc_t" },
      capabilities: { add: ["DAC_READ_SEARCH"] },
    },
    livenessProbe: { httpGet: null, exec: { command: ["logcollector", "health", "--live"] } },
    serviceAccount: { annotations: { owner: "platform" } },
    extraVolumes: [{ name: "ca", secret: { secretName: "ca" } }],
    extraVolumeMounts: [{ name: "ca", mountPath: "/etc/ssl/own", readOnly: true }],
    serviceMonitor: { enabled: true, labels: { release: "prometheus" } },
  },
  "a plugin in the image": {
    image: { repository: "registry.example.com/logcollector-shop", tag: "1" },
    plugins: { folders: ["/plugins"] },
    filters: [SHOP_ORDERS],
  },
  "next to nothing": {
    containers: { enabled: false },
    kubernetes: { enabled: false },
    journald: { enabled: true },
    rbac: { create: false },
    serviceAccount: { create: false, name: "there-already" },
    priorityClass: { create: false },
    podAnnotations: {},
    tolerations: [],
    nodeSelector: {},
  },
};

/** Everything that can be installed: what it is, and how it is rendered. */
export const RENDERED: [name: string, render: () => Manifest[]][] = [
  ["base", () => kustomize("base")],
  ...OVERLAYS.map((name): [string, () => Manifest[]] => [`overlay ${name}`, () => kustomize(name)]),
  [
    "several components",
    () => kustomizeWith("events", "journald", "docker", "plugin-configmap", "aggregator"),
  ],
  ...Object.entries(VALUES).map(([name, values]): [string, () => Manifest[]] => [
    `chart with ${name}`,
    () => helm(values),
  ]),
];
