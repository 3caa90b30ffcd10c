import type { KubeObject } from "logcollector/plugin";

/** What is wanted of pods. */
export interface PodNeeds {
  readonly labels: boolean;
  readonly annotations: boolean;
  readonly ownerReferences: boolean;
}

/** What is kept of a pod: a tenth of what the API server tells. */
export interface Pod {
  readonly uid: string;
  /** See {@link podKey}. */
  readonly key: string;
  /** The ids of its containers, and of those that ran in their places before; `name id`. */
  readonly containerIds: readonly string[];
  /** A {@link PodFacts} as JSON, which takes less memory than objects do. */
  readonly facts: string;
}

export interface PodFacts {
  readonly uid?: string;
  readonly labels?: Readonly<Record<string, string>>;
  /** Those that are for the filter are always here. */
  readonly annotations?: Readonly<Record<string, string>>;
  readonly ownerReferences?: readonly Readonly<Record<string, string | boolean>>[];
  readonly host?: string;
  readonly podIp?: string;
  readonly containers: readonly ContainerFacts[];
}

export interface ContainerFacts {
  readonly name: string;
  readonly id?: string;
  readonly hash?: string;
  readonly image?: string;
}

/** The largest parts of what the API server tells of a pod, of which nothing is read. */
export const UNREAD_PARTS: readonly string[] = [
  "managedFields",
  "containers",
  "initContainers",
  "ephemeralContainers",
  "volumes",
  "tolerations",
  "affinity",
  "topologySpreadConstraints",
  "conditions",
  "state",
  "volumeMounts",
  "resources",
];

/** Annotations that tell this filter something. */
export const ANNOTATION_PREFIX = "fluentbit.io/";

/** Names a pod, or several one after the other. */
export function podKey(namespace: string, name: string): string {
  return `${namespace}/${name}`;
}

/** Reads what is needed of a pod as the API server describes it; `undefined` for what is none. */
export function readPod(object: KubeObject, needs: PodNeeds): Pod | undefined {
  const { metadata } = object as ApiPod;
  if (!metadata?.uid || !metadata.name || !metadata.namespace) return undefined;
  return {
    uid: metadata.uid,
    key: podKey(metadata.namespace, metadata.name),
    containerIds: statusesOf(object).flatMap(containerIds),
    facts: JSON.stringify(readPodFacts(object, needs)),
  };
}

export function readPodFacts(object: KubeObject, needs: PodNeeds): PodFacts {
  const { metadata, spec, status } = object as ApiPod;
  const { uid, labels, annotations, ownerReferences } = metadata ?? {};
  const kept = needs.annotations ? annotations : forThisFilter(annotations);
  return {
    ...(uid && { uid }),
    ...(needs.labels && labels && { labels }),
    ...(kept && { annotations: kept }),
    ...(needs.ownerReferences && ownerReferences && { ownerReferences }),
    ...(spec?.nodeName && { host: spec.nodeName }),
    ...(status?.podIP && { podIp: status.podIP }),
    containers: statusesOf(object).map(containerFacts),
  };
}

function statusesOf(object: KubeObject): ContainerStatus[] {
  const { status } = object as ApiPod;
  return [
    ...status?.containerStatuses ?? [],
    ...status?.initContainerStatuses ?? [],
    ...status?.ephemeralContainerStatuses ?? [],
  ];
}

/** Only what is read of the API's object. */
interface ApiPod {
  readonly metadata?: {
    readonly uid?: string;
    readonly name?: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly ownerReferences?: PodFacts["ownerReferences"];
  };
  readonly spec?: { readonly nodeName?: string };
  readonly status?: {
    readonly podIP?: string;
    readonly containerStatuses?: readonly ContainerStatus[];
    readonly initContainerStatuses?: readonly ContainerStatus[];
    readonly ephemeralContainerStatuses?: readonly ContainerStatus[];
  };
}

interface ContainerStatus {
  readonly name: string;
  readonly containerID?: string;
  readonly imageID?: string;
  readonly image?: string;
  readonly lastState?: { readonly terminated?: { readonly containerID?: string } };
}

function forThisFilter(
  annotations: Readonly<Record<string, string>> | undefined,
): Readonly<Record<string, string>> | undefined {
  const found = Object.entries(annotations ?? {})
    .filter(([name]) => name.startsWith(ANNOTATION_PREFIX));
  return found.length === 0 ? undefined : Object.fromEntries(found);
}

function containerFacts({ name, containerID, imageID, image }: ContainerStatus): ContainerFacts {
  const id = withoutScheme(containerID);
  const hash = withoutScheme(imageID);
  return { name, ...(id && { id }), ...(hash && { hash }), ...(image && { image }) };
}

function containerIds({ name, containerID, lastState }: ContainerStatus): string[] {
  return [containerID, lastState?.terminated?.containerID]
    .flatMap((id) => withoutScheme(id) ?? []).map((id) => `${name} ${id}`);
}

/** `containerd://ID` is the id, `docker-pullable://IMAGE` the image. Without a colon Fluent Bit takes it for nothing. */
function withoutScheme(id: string | undefined): string | undefined {
  const colon = id?.indexOf(":") ?? -1;
  if (id === undefined || colon < 0) return undefined;
  return /^[^:]*:\/+(.*)$/s.exec(id)?.[1] ?? id;
}
