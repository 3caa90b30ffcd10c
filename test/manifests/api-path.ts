import { join } from "node:path";
import type { Manifest } from "../support/manifests.ts";

/** What the server calls the kinds in its paths. */
const PLURALS: Readonly<Record<string, string>> = { PriorityClass: "priorityclasses" };

/** Where the API server takes new objects of this kind. */
export function pathOf({ apiVersion, kind, metadata: { namespace } }: Manifest): string {
  const group = apiVersion.includes("/") ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  const plural = PLURALS[kind] ?? `${kind.toLowerCase()}s`;
  return join(group, namespace === undefined ? "" : `namespaces/${namespace}`, plural);
}
