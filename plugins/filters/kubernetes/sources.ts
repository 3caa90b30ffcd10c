import {
  ConfigError,
  type FilterContext,
  type KubeApiConfig,
  type KubeClient,
  kubeClient,
} from "logcollector/plugin";
import type { KubernetesOptions } from "./config.ts";
import { NamespaceWatch } from "./namespace-watch.ts";
import { givenNodeName } from "./node-name.ts";
import { PodWatch } from "./pod-watch.ts";
import { share, type Shared } from "./shared.ts";
import type { Holder } from "./upkeep.ts";

/** Where metadata comes from; what is not wanted is not there. */
export interface Sources {
  readonly pods: Shared<PodWatch> | undefined;
  readonly namespaces: Shared<NamespaceWatch> | undefined;
}

/** A node's name in a field selector must not be more than a name. */
const NODE_NAME = /^[a-z0-9](?:[-a-z0-9.]*[a-z0-9])?$/;

const API_OPTIONS = [
  "kube_url",
  "kube_ca_file",
  "kube_ca_path",
  "kube_token_file",
  "kube_token_command",
  "kube_token_ttl",
  "tls.verify",
  "tls.verify_hostname",
  "tls.vhost",
  "tls.debug",
] as const satisfies readonly (keyof KubeApiConfig)[];

/** Of these things, filters that share a watch must want the same. */
const POD_OPTIONS = [
  ...API_OPTIONS,
  "node_name",
  "kube_namespace_file",
  "kube_meta_deleted_ttl",
  "use_kubelet",
  "kubelet_host",
  "kubelet_port",
  "kubelet_poll_interval",
  "labels",
  "annotations",
  "owner_references",
] as const satisfies readonly (keyof KubernetesOptions)[];

const NAMESPACE_OPTIONS = [
  ...API_OPTIONS,
  "namespace_labels",
  "namespace_annotations",
] as const satisfies readonly (keyof KubernetesOptions)[];

export function sourcesOf(options: KubernetesOptions, ctx: FilterContext): Sources {
  const isOffline = options.dummy_meta || options.use_tag_for_meta;
  const wantsNamespaces = options.namespace_labels || options.namespace_annotations;
  return {
    pods: isOffline || options.namespace_metadata_only ? undefined : pods(options, ctx),
    namespaces: isOffline || !wantsNamespaces ? undefined : namespaces(options, ctx),
  };
}

function pods(options: KubernetesOptions, ctx: FilterContext): Shared<PodWatch> | undefined {
  const node = givenNodeName(options, process.env);
  if (node !== undefined && !NODE_NAME.test(node)) {
    throw new ConfigError(`"${node}" cannot be the name of a node`, "node_name");
  }
  const make = () => {
    const needs = {
      labels: options.labels,
      annotations: options.annotations,
      ownerReferences: options.owner_references,
    };
    const client = options.use_kubelet ? kubelet(options, ctx) : kubeClient(options, ctx.clock);
    return new PodWatch({ ...options, needs }, client, ctx.clock);
  };
  return share(keyOf("pods", options, POD_OPTIONS), holder("pod", ctx), make);
}

function kubelet(options: KubernetesOptions, { clock }: FilterContext): KubeClient {
  const { kubelet_host: host, kubelet_port: port } = options;
  const url = `https://${host.includes(":") ? `[${host}]` : host}:${port}`;
  if (!URL.canParse(url)) throw new ConfigError(`"${host}" is no host`, "kubelet_host");
  return kubeClient(options, clock, new URL(url));
}

function namespaces(options: KubernetesOptions, ctx: FilterContext): Shared<NamespaceWatch> {
  const needs = { labels: options.namespace_labels, annotations: options.namespace_annotations };
  const make = () => new NamespaceWatch(needs, kubeClient(options, ctx.clock), ctx.clock);
  return share(
    keyOf("namespaces", options, NAMESPACE_OPTIONS),
    holder("namespace", ctx),
    make,
  );
}

function keyOf<K extends keyof KubernetesOptions>(
  what: string,
  options: KubernetesOptions,
  names: readonly K[],
): string {
  return JSON.stringify([what, ...names.map((name) => options[name] ?? null)]);
}

function holder(what: "pod" | "namespace", { log, metrics }: FilterContext): Holder {
  return {
    log,
    up: metrics.gauge(
      `filter_kubernetes_${what}_metadata_up`,
      `1 while the source of ${what}s' metadata answers`,
    ),
    failures: metrics.counter(
      `filter_kubernetes_${what}_metadata_failures_total`,
      `Attempts to keep up with ${what}s that failed`,
    ),
    lists: metrics.counter(
      `filter_kubernetes_${what}_lists_total`,
      `Complete lists of ${what}s that were read: one, and one more for each time that changes were missed`,
    ),
  };
}
