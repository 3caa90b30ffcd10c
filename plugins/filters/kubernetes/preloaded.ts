import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { KubeObject } from "logcollector/plugin";

const LONGEST_FILE = 8 << 20;
/** A name that leads nowhere else. */
const NAME = /^[a-z0-9](?:[-a-z0-9.]*[a-z0-9])?$/;

/** A pod's description from a file, for tests of a configuration without a cluster. */
export function preloadedPod(
  folder: string,
  namespace: string,
  name: string,
): KubeObject | undefined {
  if (!NAME.test(name)) return undefined;
  const found = preloaded(folder, namespace, `${namespace}_${name}.meta`);
  const items = found?.["items"];
  if (!Array.isArray(items)) return found;
  // What a kubelet answers.
  return (items as KubeObject[]).find(({ metadata }) =>
    metadata?.name === name && metadata.namespace === namespace
  );
}

export function preloadedNamespace(folder: string, namespace: string): KubeObject | undefined {
  return preloaded(folder, namespace, `${namespace}.namespace_meta`);
}

function preloaded(folder: string, namespace: string, file: string): KubeObject | undefined {
  if (!NAME.test(namespace)) return undefined;
  let text: string;
  try {
    text = readFileSync(join(folder, file), "utf8");
  } catch {
    return undefined;
  }
  if (text.length > LONGEST_FILE) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? value as KubeObject : undefined;
  } catch {
    return undefined;
  }
}
