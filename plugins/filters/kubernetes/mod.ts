import {
  type Batch,
  ConfigError,
  type Counter,
  defineFilter,
  type Filter,
  type FilterContext,
  JsonTail,
  type LogRecord,
} from "logcollector/plugin";
import { config, type KubernetesOptions } from "./config.ts";
import { type Container, Containers } from "./containers.ts";
import { enrich, enrichAll, keepWhere } from "./enrich.ts";
import { type MergeLog, mergeLog } from "./merge-log.ts";
import { dummyFields, type Metadata } from "./metadata.ts";
import { lastSecOf, Patience } from "./patience.ts";
import { type Sources, sourcesOf } from "./sources.ts";
import { partsReader } from "./tag-parts.ts";

/** The field of journal entries that names the container. */
const CONTAINER_NAME = "CONTAINER_NAME";

export default defineFilter({
  name: "kubernetes",
  summary: "Adds the metadata of the pod, container and namespace that a record comes from.",
  config,
  create(options, ctx): Filter {
    const merge = mergeLog(options, ctx);
    if (options.dummy_meta) return dummyFilter(merge, ctx);
    const readParts = partsReader(options, ctx);
    if (
      options.namespace_metadata_only && !options.namespace_labels &&
      !options.namespace_annotations
    ) {
      throw new ConfigError(
        "nothing is left to add: it needs namespace_labels or namespace_annotations",
        "namespace_metadata_only",
      );
    }
    const sources = sourcesOf(options, ctx);
    return new KubernetesFilter(
      options,
      sources,
      new Containers(options, sources, readParts, ctx),
      merge,
      ctx,
    );
  },
});

function dummyFilter(merge: MergeLog | undefined, { clock }: FilterContext): Filter {
  return {
    borrows: true,
    process(batch) {
      const tail = new JsonTail({ kubernetes: dummyFields(clock.wall().sec) });
      return enrichAll(batch, { tail, wishes: undefined }, merge);
    },
  };
}

class KubernetesFilter implements Filter {
  readonly borrows = true;
  private readonly options: KubernetesOptions;
  private readonly sources: Sources;
  private readonly containers: Containers;
  private readonly merge: MergeLog | undefined;
  private readonly ctx: FilterContext;
  private readonly patience: Patience;
  private readonly unknown: Counter;
  private readonly unnamed: Counter;
  private readonly waited: Counter;
  private hasStarted = false;

  constructor(
    options: KubernetesOptions,
    sources: Sources,
    containers: Containers,
    merge: MergeLog | undefined,
    ctx: FilterContext,
  ) {
    this.options = options;
    this.sources = sources;
    this.containers = containers;
    this.merge = merge;
    this.ctx = ctx;
    this.patience = new Patience(options.kube_meta_wait, ctx.clock, containers);
    const counter = (name: string, help: string) =>
      ctx.metrics.counter(`filter_kubernetes_${name}_total`, help);
    this.unknown = counter("unknown_records", "Records of pods that were not known");
    this.unnamed = counter("unnamed_records", "Records whose tag is none of a container");
    this.waited = counter("waits", "Batches that waited for the metadata of a new container");
  }

  process(batch: Batch): Batch | Promise<Batch> {
    if (!this.hasStarted) this.start();
    return this.options.use_journal ? this.journal(batch) : this.file(batch);
  }

  close(): void {
    this.sources.pods?.release();
    this.sources.namespaces?.release();
  }

  /** Not before there are records: a check of the configuration asks nobody. */
  private start(): void {
    this.hasStarted = true;
    this.sources.pods?.start();
    this.sources.namespaces?.start();
  }

  /** All records are of the container that the tag names. */
  private file(batch: Batch): Batch | Promise<Batch> {
    const container = this.ofTag(batch);
    if (container === undefined) return batch;
    const metadata = this.containers.metadataOf(container);
    const wait = this.wait(container, () => lastSecOf(batch));
    if (wait === undefined) return this.enrichAll(batch, container, metadata);
    batch.detach();
    return wait.then(() => this.enrichAll(batch, container, this.containers.metadataOf(container)));
  }

  private ofTag(batch: Batch): Container | undefined {
    const { kube_tag_prefix: prefix } = this.options;
    const { tag } = batch;
    const container = tag.length > prefix.length + 1
      ? this.containers.of(tag.slice(prefix.length))
      : undefined;
    if (container === undefined) {
      this.unnamed.value += batch.length;
      this.ctx.log.warn(
        `Cannot tell the pod from the tag "${tag}": behind kube_tag_prefix (${prefix}) it must be POD_NAMESPACE_CONTAINER-ID.log, or match regex_parser`,
      );
    }
    return container;
  }

  /** Starts to wait if there is reason to. */
  private wait(container: Container, sec: () => number): Promise<void> | undefined {
    const lack = this.patience.lackOf(container, sec);
    if (lack === undefined) return undefined;
    this.waited.value++;
    this.sources.pods?.of.wanted();
    return this.patience.wait(container, lack, sec());
  }

  private enrichAll(batch: Batch, container: Container, metadata: Metadata): Batch {
    this.count(container, batch.length);
    return enrichAll(batch, metadata, this.merge);
  }

  private count({ isPodKnown }: Container, records: number): void {
    if (!isPodKnown && this.sources.pods !== undefined) this.unknown.value += records;
  }

  /** Each record names its own container. */
  private journal(batch: Batch): Batch | Promise<Batch> {
    const { records } = batch;
    const waits: Promise<void>[] = [];
    const seen = new Set<Container>();
    for (const record of records) {
      const container = this.ofEntry(record);
      if (container === undefined || seen.has(container)) continue;
      seen.add(container);
      this.containers.metadataOf(container);
      const wait = this.wait(container, () => record.sec);
      if (wait !== undefined) waits.push(wait);
    }
    if (waits.length === 0) return this.enrichEach(batch);
    return Promise.all(waits).then(() => this.enrichEach(batch));
  }

  private enrichEach(batch: Batch): Batch {
    keepWhere(batch.records, (record) => {
      const container = this.ofEntry(record);
      if (container === undefined) return true;
      this.count(container, 1);
      return enrich(record, this.containers.metadataOf(container), this.merge);
    });
    return batch;
  }

  private ofEntry({ body }: LogRecord): Container | undefined {
    const name = body[CONTAINER_NAME];
    return typeof name === "string" ? this.containers.of(name) : undefined;
  }
}
