import { type Body, type FilterContext, JsonTail } from "logcollector/plugin";
import { readWishes } from "./annotations.ts";
import type { KubernetesOptions } from "./config.ts";
import { kubernetesFields, type Metadata, namespaceFields } from "./metadata.ts";
import type { NamespaceFacts } from "./namespace-watch.ts";
import { type PodFacts, podKey, type PodNeeds, readPodFacts } from "./pod.ts";
import { preloadedNamespace, preloadedPod } from "./preloaded.ts";
import type { Sources } from "./sources.ts";
import type { PartsReader, TagParts } from "./tag-parts.ts";
import type { Upkeep } from "./upkeep.ts";

/** Containers whose metadata is at hand. A node has a few hundred at most. */
const MAX_CONTAINERS = 2000;

/** A container that wrote records, and what is added to them. */
export class Container {
  readonly parts: TagParts;
  /** See {@link podKey}; `undefined` when the name does not say it. */
  readonly podKey: string | undefined;
  metadata: Metadata | undefined;
  /** What {@link metadata} was made from. */
  podsVersion = -1;
  podVersion = -1;
  namespacesVersion = -1;
  isPodKnown = false;
  /** It was waited for in vain once. */
  hasWaited = false;

  constructor(parts: TagParts) {
    this.parts = parts;
    const { namespace_name, pod_name } = parts;
    this.podKey = namespace_name && pod_name ? podKey(namespace_name, pod_name) : undefined;
  }
}

/** What somebody may wait for. */
export interface Lack {
  readonly upkeep: Upkeep;
  readonly key: string;
}

/** All containers by the names under which they write, with their metadata as it is known now. */
export class Containers {
  private readonly options: KubernetesOptions;
  private readonly sources: Sources;
  private readonly readParts: PartsReader;
  private readonly ctx: FilterContext;
  private readonly needs: PodNeeds;
  private readonly byName = new Map<string, Container | undefined>();

  constructor(
    options: KubernetesOptions,
    sources: Sources,
    readParts: PartsReader,
    ctx: FilterContext,
  ) {
    this.options = options;
    this.sources = sources;
    this.readParts = readParts;
    this.ctx = ctx;
    this.needs = {
      labels: options.labels,
      annotations: options.annotations,
      ownerReferences: options.owner_references,
    };
  }

  /** `undefined` when the name is none of a container. */
  of(name: string): Container | undefined {
    const known = this.byName.get(name);
    if (known !== undefined || this.byName.has(name)) return known;
    if (this.byName.size >= MAX_CONTAINERS) this.byName.delete(this.byName.keys().next().value!);
    const parts = this.readParts(name);
    const container = parts && new Container(parts);
    this.byName.set(name, container);
    return container;
  }

  /** What is known now. */
  metadataOf(container: Container): Metadata {
    const { pods, namespaces } = this.sources;
    const podsVersion = pods?.of.store.version ?? 0;
    const namespacesVersion = namespaces?.of.version ?? 0;
    const { metadata } = container;
    const areNamespacesSame = container.namespacesVersion === namespacesVersion;
    if (metadata !== undefined && areNamespacesSame) {
      if (container.podsVersion === podsVersion) return metadata;
      const podVersion = pods!.of.store.versionOf(container.podKey ?? "");
      if (container.podVersion === podVersion) {
        container.podsVersion = podsVersion;
        return metadata;
      }
    }
    container.podsVersion = podsVersion;
    container.podVersion = pods?.of.store.versionOf(container.podKey ?? "") ?? 0;
    container.namespacesVersion = namespacesVersion;
    return container.metadata = this.make(container);
  }

  /** What is not known of it and could come to be; after {@link metadataOf}. */
  lackOf({ isPodKnown, podKey, parts }: Container): Lack | undefined {
    const { pods, namespaces } = this.sources;
    if (!isPodKnown && podKey !== undefined && pods !== undefined) {
      return { upkeep: pods.of.upkeep, key: podKey };
    }
    const { namespace_name: name } = parts;
    if (name === undefined || namespaces === undefined) return undefined;
    if (this.namespace(name) !== undefined) return undefined;
    return { upkeep: namespaces.of.upkeep, key: name };
  }

  private make(container: Container): Metadata {
    const { options, ctx } = this;
    const { parts, podKey } = container;
    const fields: Body = {};
    const pod = this.pod(container);
    if (!options.namespace_metadata_only) {
      fields["kubernetes"] = kubernetesFields(parts, pod, options);
    }
    const { namespace_name: namespace } = parts;
    if (namespace !== undefined && this.sources.namespaces !== undefined) {
      fields["kubernetes_namespace"] = namespaceFields(namespace, this.namespace(namespace));
    }
    const wishes = pod?.annotations &&
      readWishes(pod.annotations, parts.container_name, podKey!, options, ctx);
    return { tail: new JsonTail(fields), wishes };
  }

  private pod(container: Container): PodFacts | undefined {
    const { parts, podKey } = container;
    if (podKey === undefined || this.options.namespace_metadata_only) return undefined;
    const folder = this.options.kube_meta_preload_cache_dir;
    const file = folder && preloadedPod(folder, parts.namespace_name!, parts.pod_name!);
    if (file) {
      container.isPodKnown = true;
      return readPodFacts(file, this.needs);
    }
    const { container_name, docker_id } = parts;
    const found = this.sources.pods?.of.store.find(podKey, container_name, docker_id);
    container.isPodKnown = found?.isCertain ?? false;
    return found?.pod && JSON.parse(found.pod.facts) as PodFacts;
  }

  private namespace(name: string): NamespaceFacts | undefined {
    const { kube_meta_preload_cache_dir: folder } = this.options;
    const file = folder && preloadedNamespace(folder, name);
    if (!file) return this.sources.namespaces?.of.find(name);
    const { labels, annotations } = (file.metadata ?? {}) as NamespaceFacts;
    return {
      ...(this.options.namespace_labels && labels && { labels }),
      ...(this.options.namespace_annotations && annotations && { annotations }),
    };
  }
}
