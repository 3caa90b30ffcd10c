import {
  Batch,
  type Checkpoint,
  type CheckpointStore,
  ConfigError,
  type Counter,
  type ForeignDatabase,
  type Input,
  type InputContext,
  type KubeApiConfig,
  type KubeClient,
  kubeClient,
  KubeError,
  type KubeObject,
  listWatch,
  type LogRecord,
} from "logcollector/plugin";
import { currentVersion } from "./current-version.ts";
import { eventRecord } from "./event-record.ts";

export type EventsOptions = KubeApiConfig & {
  readonly kube_namespace?: string | undefined;
  readonly kube_retention_time: number;
  readonly kube_request_limit: number;
  readonly kube_watch_timeout: number;
  readonly db?: string | undefined;
  readonly "db.sync": "extra" | "full" | "normal" | "off";
  readonly "db.locking": boolean;
  readonly "db.journal_mode": string;
};

/** There is one position: the version up to which all events are known. */
const STREAM = "events";
const NAMESPACE = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?$/;
const DEFAULT_PAGE = 500;
const DEFAULT_WATCH_MS = 600_000;
/** Events of a list that go on together. */
const BATCH_SIZE = 200;
/** Events of a list that is not complete are remembered, so many of them at most. */
const MAX_SEEN = 100_000;

/**
 * Follows the events of a cluster or a namespace. The position is the version of the last event that is safe; a list moves it
 * only when all of the list is, because its events come in no order.
 */
export class EventsInput implements Input {
  private readonly options: EventsOptions;
  private readonly ctx: InputContext;
  private readonly client: KubeClient;
  private readonly positions: CheckpointStore;
  private readonly outdated: Counter;
  private readonly failures: Counter;
  /** Everything up to this version was emitted. */
  private version = 0;
  private hasEmitted = false;
  /** Of a list that is being read: what was not emitted yet, and what was. */
  private pending: LogRecord[] = [];
  private readonly seen = new Set<string>();
  private said = "";

  constructor(options: EventsOptions, ctx: InputContext) {
    const { kube_namespace: namespace } = options;
    if (namespace !== undefined && !NAMESPACE.test(namespace)) {
      throw new ConfigError(`"${namespace}" cannot be the name of a namespace`, "kube_namespace");
    }
    this.options = options;
    this.ctx = ctx;
    this.client = kubeClient(options, ctx.clock);
    this.positions = ctx.checkpoints({
      path: options.db,
      sync: options["db.sync"],
      exclusive: options["db.locking"],
      journalMode: options["db.journal_mode"],
      migrate: ofFluentBit,
    });
    this.outdated = ctx.metrics.counter(
      "input_kubernetes_events_outdated_total",
      "Events that were left out because they were older than kube_retention_time",
    );
    this.failures = ctx.metrics.counter(
      "input_kubernetes_events_failures_total",
      "Attempts to keep up with the events that failed",
    );
  }

  async run(signal: AbortSignal): Promise<void> {
    const { kube_namespace: namespace, kube_request_limit, kube_watch_timeout } = this.options;
    const path = namespace === undefined
      ? "/api/v1/events"
      : `/api/v1/namespaces/${namespace}/events`;
    const saved = await this.savedVersion(path, signal);
    this.version = Number(saved ?? 0);
    const list = {
      path,
      pageSize: kube_request_limit || DEFAULT_PAGE,
      watchMs: kube_watch_timeout || DEFAULT_WATCH_MS,
      ...(saved !== undefined && { resourceVersion: saved }),
    };
    await listWatch(this.client, list, {
      // What a list gave that broke off is known, and still goes on.
      listStarts: () => {},
      listed: (event) => this.listed(event),
      listEnds: (version) => this.listEnds(version),
      changed: (type, event) => type === "DELETED" ? undefined : this.changed(event),
      failed: (error) => this.failed(error),
      watching: () => this.works(),
    }, this.ctx.clock).run(signal);
  }

  /** Where to go on; nowhere in a cluster that was set back to a time before that. */
  private async savedVersion(path: string, signal: AbortSignal): Promise<string | undefined> {
    const saved = this.positions.saved.get(STREAM);
    if (saved === undefined) return undefined;
    const now = await currentVersion(this.client, path, signal);
    if (now === undefined || !(now < Number(saved))) return saved;
    this.ctx.log.warn(
      `The cluster was set back to an earlier time, from version ${saved} to ${now}: reading begins anew`,
    );
    return undefined;
  }

  private listed(event: KubeObject): Promise<void> | undefined {
    const version = versionOf(event);
    const { uid = "" } = event.metadata ?? {};
    const id = `${uid} ${version}`;
    if (version <= this.version || this.seen.has(id)) return undefined;
    const record = this.recordOf(event);
    if (record === undefined) return undefined;
    // The last ones stay until the end of the list: the position is theirs.
    const wait = this.pending.length >= BATCH_SIZE ? this.emit(this.takePending()) : undefined;
    this.pending.push(record);
    if (this.seen.size < MAX_SEEN) this.seen.add(id);
    return wait;
  }

  private listEnds(version: string): Promise<void> | undefined {
    const records = this.takePending();
    this.seen.clear();
    this.version = Number(version);
    if (records.length > 0) return this.emit(records, version);
    // Nothing is on its way that the position would pass over.
    if (!this.hasEmitted) this.positions.save(STREAM, version);
    return undefined;
  }

  private changed(event: KubeObject): Promise<void> | undefined {
    const version = versionOf(event);
    if (version <= this.version) return undefined;
    if (version > this.version) this.version = version;
    const record = this.recordOf(event);
    return record && this.emit([record], event.metadata?.resourceVersion);
  }

  private recordOf(event: KubeObject): LogRecord | undefined {
    const now = this.ctx.clock.wall();
    const record = eventRecord(event, now);
    if (record.sec >= now.sec - this.options.kube_retention_time / 1000) return record;
    this.outdated.value++;
    return undefined;
  }

  private takePending(): LogRecord[] {
    const { pending } = this;
    this.pending = [];
    return pending;
  }

  /** @param version where reading goes on when these are safe, if anywhere */
  private emit(records: LogRecord[], version?: string): Promise<void> | undefined {
    this.hasEmitted = true;
    const checkpoint: Checkpoint | undefined = version === undefined
      ? undefined
      : { position: () => version };
    return this.ctx.emit(Batch.of(this.ctx.tag, records, { stream: STREAM }), checkpoint);
  }

  private failed(error: Error): void {
    this.failures.value++;
    if (error.message === this.said) return;
    this.said = error.message;
    const advice = error instanceof KubeError && error.status === 403
      ? ". The account of the token needs a role that may get, list and watch events"
      : "";
    this.ctx.log.error(
      `Cannot keep up with events from ${this.client.target}: ${error.message}${advice}`,
    );
  }

  private works(): void {
    if (this.said !== "") {
      this.ctx.log.info(`Keeps up with events from ${this.client.target} again`);
    }
    this.said = "";
  }
}

/** Versions are numbers that grow over everything that a cluster stores. What is none is new, compared to any. */
function versionOf({ metadata }: KubeObject): number {
  return Number(metadata?.resourceVersion ?? NaN);
}

/** The newest event that Fluent Bit has written down. */
function ofFluentBit(database: ForeignDatabase): ReadonlyMap<string, string> | undefined {
  if (!database.hasTable("in_kubernetes_events")) return undefined;
  const [row] = database.query("SELECT max(resourceVersion) AS version FROM in_kubernetes_events");
  const version = row?.["version"];
  return new Map(version === null || version === undefined ? [] : [[STREAM, String(version)]]);
}
