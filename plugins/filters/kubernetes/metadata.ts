import type { Body, JsonTail } from "logcollector/plugin";
import type { Wishes } from "./annotations.ts";
import type { KubernetesOptions } from "./config.ts";
import type { NamespaceFacts } from "./namespace-watch.ts";
import type { PodFacts } from "./pod.ts";
import type { TagParts } from "./tag-parts.ts";

/** What is added to the records of one container. */
export interface Metadata {
  /** The fields `kubernetes` and `kubernetes_namespace`, as far as they are wanted. */
  readonly tail: JsonTail;
  readonly wishes: Wishes | undefined;
}

type Wanted = Pick<KubernetesOptions, "labels" | "annotations">;

/** The map `kubernetes`, in Fluent Bit's order. Without a pod it is what the tag says. */
export function kubernetesFields(
  parts: TagParts,
  pod: PodFacts | undefined,
  wanted: Wanted,
): Body {
  const { pod_name, namespace_name, container_name } = parts;
  const container = pod?.containers.find(({ name }) => name === container_name);
  const { uid, labels, annotations, ownerReferences, host, podIp } = pod ?? {};
  const hash = (pod && parts.container_hash) ?? container?.hash;
  return defined({
    pod_name,
    namespace_name,
    pod_id: uid,
    labels: wanted.labels ? labels : undefined,
    annotations: wanted.annotations ? annotations : undefined,
    ownerReferences,
    host,
    pod_ip: podIp,
    container_name,
    docker_id: parts.docker_id ?? container?.id,
    container_hash: hash,
    container_image: container?.image,
  });
}

/** The map `kubernetes_namespace`. */
export function namespaceFields(name: string, facts: NamespaceFacts | undefined): Body {
  return defined({ name, labels: facts?.labels, annotations: facts?.annotations });
}

function defined(fields: Readonly<Record<string, unknown>>): Body {
  return Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== undefined),
  ) as Body;
}

const DAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const MONTHS = [
  "Jan",
  "Feb",
  "Mar",
  "Apr",
  "May",
  "Jun",
  "Jul",
  "Aug",
  "Sep",
  "Oct",
  "Nov",
  "Dec",
];

/** What stands for metadata without a cluster: the local time as C's asctime writes it. */
export function dummyFields(sec: number): Body {
  const time = new Date(sec * 1000);
  const two = (value: number) => String(value).padStart(2, "0");
  const clock = [time.getHours(), time.getMinutes(), time.getSeconds()].map(two).join(":");
  const day = String(time.getDate()).padStart(2);
  const date = `${DAYS[time.getDay()]} ${MONTHS[time.getMonth()]} ${day}`;
  return { dummy: `${date} ${clock} ${time.getFullYear()}` };
}
