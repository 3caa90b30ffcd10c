import {
  backoffMs,
  type Clock,
  type KubeClient,
  type KubeObject,
  listItems,
  listWatch,
} from "logcollector/plugin";
import type { KubernetesOptions } from "./config.ts";
import { askForNodeName, givenNodeName } from "./node-name.ts";
import { podKey, type PodNeeds, readPod, UNREAD_PARTS } from "./pod.ts";
import { PodStore } from "./pod-store.ts";
import { Upkeep } from "./upkeep.ts";

const PAUSES = { baseMs: 500, capMs: 30_000 };
/** A kubelet is not asked more often than this, whoever is new. */
const LEAST_POLL_MS = 1000;
const KUBELET_IDLE_MS = 30_000;

export type PodWatchOptions =
  & Pick<
    KubernetesOptions,
    | "node_name"
    | "kube_namespace_file"
    | "kube_meta_deleted_ttl"
    | "use_kubelet"
    | "kubelet_poll_interval"
  >
  & { readonly needs: PodNeeds };

/** Keeps up with the pods of one node: by one watch of the API server, or by asking the kubelet now and then. */
export class PodWatch {
  readonly store: PodStore;
  readonly upkeep: Upkeep;
  private readonly options: PodWatchOptions;
  private readonly client: KubeClient;
  private readonly clock: Clock;
  private readonly stopped = new AbortController();
  private askedAtSec = 0;
  private isWanted = false;
  private askAgain = () => {};

  constructor(options: PodWatchOptions, client: KubeClient, clock: Clock) {
    this.options = options;
    this.client = client;
    this.clock = clock;
    this.store = new PodStore(clock, options.kube_meta_deleted_ttl);
    this.upkeep = new Upkeep(`pods from ${client.target}`, clock);
  }

  async run(): Promise<void> {
    const { signal } = this.stopped;
    await (this.options.use_kubelet ? this.poll(signal) : this.watch(signal));
  }

  close(): void {
    this.stopped.abort();
    this.upkeep.tell();
  }

  /** Somebody waits for a pod that is not known. */
  wanted(): void {
    this.isWanted = true;
    this.askAgain();
  }

  private async watch(signal: AbortSignal): Promise<void> {
    const node = await this.nodeName(signal);
    if (node === undefined) return;
    const list = {
      path: "/api/v1/pods",
      fieldSelector: `spec.nodeName=${node}`,
      omitted: UNREAD_PARTS,
    };
    await listWatch(this.client, list, {
      listStarts: () => this.listStarts(),
      listed: (object) => this.listed(object),
      listEnds: () => this.listEnds(),
      changed: (type, object) => type === "DELETED" ? this.deleted(object) : this.listed(object),
      failed: (error) => this.upkeep.failed(error),
      watching: () => this.upkeep.works(),
    }, this.clock).run(signal);
  }

  private async nodeName(signal: AbortSignal): Promise<string | undefined> {
    const given = givenNodeName(this.options, process.env);
    if (given !== undefined) return given;
    for (let failures = 1; !signal.aborted; failures++) {
      try {
        return await askForNodeName(this.options, this.client, signal);
      } catch (error) {
        if (signal.aborted) return undefined;
        this.upkeep.failed(error as Error);
        await this.clock.sleep(backoffMs(failures, PAUSES), signal);
      }
    }
    return undefined;
  }

  private async poll(signal: AbortSignal): Promise<void> {
    for (let failures = 0; !signal.aborted;) {
      try {
        await this.readKubelet(signal);
        failures = 0;
        this.upkeep.works();
        await this.clock.sleep(LEAST_POLL_MS, signal);
        await this.untilNextPoll(signal);
      } catch (error) {
        if (signal.aborted) return;
        this.upkeep.failed(error as Error);
        await this.clock.sleep(backoffMs(++failures, PAUSES), signal);
      }
    }
  }

  private async untilNextPoll(signal: AbortSignal): Promise<void> {
    if (this.isWanted) return;
    const early = new AbortController();
    this.askAgain = () => early.abort();
    const enough = AbortSignal.any([signal, early.signal]);
    await this.clock.sleep(this.options.kubelet_poll_interval, enough);
    this.askAgain = () => {};
  }

  private async readKubelet(signal: AbortSignal): Promise<void> {
    this.isWanted = false;
    this.listStarts();
    const items = listItems(UNREAD_PARTS);
    for await (const part of this.client.read("/pods", { idleMs: KUBELET_IDLE_MS, signal })) {
      for (const text of items.push(part)) this.listed(JSON.parse(text) as KubeObject);
    }
    items.end();
    this.listEnds();
  }

  private listStarts(): void {
    this.askedAtSec = this.clock.wall().sec;
    this.store.listStarts();
  }

  private listed(object: KubeObject): void {
    const pod = readPod(object, this.options.needs);
    if (pod === undefined) return;
    this.store.set(pod);
    this.upkeep.tell(pod.key);
  }

  private deleted({ metadata }: KubeObject): void {
    if (metadata?.uid === undefined) return;
    this.store.delete(metadata.uid);
    this.upkeep.tell(podKey(metadata.namespace ?? "", metadata.name ?? ""));
  }

  private listEnds(): void {
    this.store.listEnds();
    this.upkeep.listed(this.askedAtSec);
  }
}
