import type { Clock } from "../context.ts";
import type { KubeApiConfig } from "./api-options.ts";
import type { KubeClient } from "./kube-client.ts";
import type { ListItems } from "./list-items.ts";
import type { ListWatch, ListWatchHandler, WatchedList } from "./list-watch.ts";

// What Kubernetes takes is loaded when somebody asks for it: all others do not pay for it.

/** Makes a client of the API server that the options name, or of the server with this URL. */
export function kubeClient(config: KubeApiConfig, clock: Clock, url?: URL): KubeClient {
  const { KubeClient } = require("./kube-client.ts") as typeof import("./kube-client.ts");
  return new KubeClient(config, clock, url);
}

/** Makes what keeps up with a list; see {@link ListWatch}. */
export function listWatch(
  client: KubeClient,
  list: WatchedList,
  handler: ListWatchHandler,
  clock: Clock,
): ListWatch {
  const { ListWatch } = require("./list-watch.ts") as typeof import("./list-watch.ts");
  return new ListWatch(client, list, handler, clock);
}

/** Takes the JSON of a list apart while it comes; see {@link ListItems}. */
export function listItems(omitted?: readonly string[]): ListItems {
  const { ListItems } = require("./list-items.ts") as typeof import("./list-items.ts");
  return new ListItems(omitted);
}
