import { readFile } from "node:fs/promises";
import { hostname } from "node:os";
import { type KubeClient, KubeError, type KubeObject, listItems } from "logcollector/plugin";
import type { KubernetesOptions } from "./config.ts";

const IDLE_MS = 30_000;
const NOT_FOUND = 404;

type Environment = Readonly<Record<string, string | undefined>>;

/** The node's name as the options or the environment say it. */
export function givenNodeName(
  options: Pick<KubernetesOptions, "node_name">,
  env: Environment,
): string | undefined {
  return options.node_name || env["NODE_NAME"] || env["KUBERNETES_NODE_NAME"] || undefined;
}

/**
 * Asks for the node of the pod that this runs in. A pod on the host's network has the node's own name, if the node goes by
 * that in the cluster. Rejects when neither is so: the pods of all nodes would be too many.
 */
export async function askForNodeName(
  options: Pick<KubernetesOptions, "kube_namespace_file">,
  client: KubeClient,
  signal: AbortSignal,
): Promise<string> {
  const name = process.env["HOSTNAME"] || hostname();
  const found = await nodeOfPod(options.kube_namespace_file, name, client, signal);
  if (found !== undefined) return found;
  if (await hasPods(name, client, signal)) return name;
  throw new Error("the node's name is not known: set node_name, or NODE_NAME in the environment");
}

async function nodeOfPod(
  namespaceFile: string,
  name: string,
  client: KubeClient,
  signal: AbortSignal,
): Promise<string | undefined> {
  const namespace = await readFile(namespaceFile, "utf8").catch(() => undefined);
  if (namespace === undefined) return undefined;
  const path = `/api/v1/namespaces/${encodeURIComponent(namespace.trim())}/pods/${
    encodeURIComponent(name)
  }`;
  try {
    const parts: Buffer[] = [];
    for await (const part of client.read(path, { idleMs: IDLE_MS, signal })) parts.push(part);
    const pod = JSON.parse(Buffer.concat(parts).toString()) as KubeObject & {
      readonly spec?: { readonly nodeName?: string };
    };
    return pod.spec?.nodeName;
  } catch (error) {
    if (error instanceof KubeError && error.status === NOT_FOUND) return undefined;
    throw error;
  }
}

async function hasPods(node: string, client: KubeClient, signal: AbortSignal): Promise<boolean> {
  const query = new URLSearchParams({
    fieldSelector: `spec.nodeName=${node}`,
    limit: "1",
    resourceVersion: "0",
  });
  const items = listItems();
  for await (
    const part of client.read(`/api/v1/pods?${query}`, { idleMs: IDLE_MS, signal })
  ) {
    for (const _ of items.push(part)) return true;
  }
  return false;
}
