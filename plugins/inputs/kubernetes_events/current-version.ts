import { type KubeClient, listItems } from "logcollector/plugin";

const IDLE_MS = 30_000;

/** The version of the present; `undefined` when the server does not say it now. A watch from a later one would wait for it silently. */
export async function currentVersion(
  client: KubeClient,
  path: string,
  signal: AbortSignal,
): Promise<number | undefined> {
  try {
    const items = listItems();
    for await (const part of client.read(`${path}?limit=1`, { idleMs: IDLE_MS, signal })) {
      for (const _ of items.push(part));
    }
    const { metadata } = items.end() as {
      readonly metadata?: { readonly resourceVersion?: string };
    };
    return Number(metadata?.resourceVersion ?? NaN);
  } catch {
    // Whoever watches next will hear of it.
    return undefined;
  }
}
