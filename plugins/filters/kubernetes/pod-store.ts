import type { Clock } from "logcollector/plugin";
import type { Pod } from "./pod.ts";

/** Deleted pods that are remembered at most. */
const MAX_DELETED = 1000;
/** A container that is started again and again has had so many ids at most. */
const MAX_CONTAINER_IDS = 32;

/** A pod that is there, or was until a while ago. */
interface KnownPod {
  pod: Pod;
  /** On the clock's scale. */
  deletedAtMs: number | undefined;
  /** Of the list that is being read. */
  isListed: boolean;
}

/** The pods of one name, of which one at most is there; the newest is first. */
interface Namesakes {
  pods: KnownPod[];
  /** Changes with every change. */
  version: number;
}

export interface FoundPod {
  readonly pod: Pod | undefined;
  /** Nothing better can come to be known: the container is one of this pod's. */
  readonly isCertain: boolean;
}

/** What is known about the pods of a node. */
export class PodStore {
  private readonly clock: Clock;
  private readonly deletedTtlMs: number;
  private readonly byUid = new Map<string, KnownPod>();
  private readonly byKey = new Map<string, Namesakes>();
  /** Deleted pods, the first deleted first. */
  private readonly deleted = new Map<string, KnownPod>();
  /** Changes with every change of any pod. */
  version = 0;

  constructor(clock: Clock, deletedTtlMs: number) {
    this.clock = clock;
    this.deletedTtlMs = deletedTtlMs;
  }

  /** Pods that are there. */
  get size(): number {
    return this.byUid.size - this.deleted.size;
  }

  /** Changes with every change of a pod with this name. */
  versionOf(key: string): number {
    return this.byKey.get(key)?.version ?? 0;
  }

  /**
   * The pod with this name that the container belongs to. Where an id is known it decides: after a pod another one may have
   * the same name.
   */
  find(key: string, container: string | undefined, id: string | undefined): FoundPod {
    const pods = this.byKey.get(key)?.pods ?? [];
    if (id !== undefined) {
      const own = pods.find(({ pod }) =>
        pod.containerIds.some((known) => known.endsWith(` ${id}`))
      );
      if (own !== undefined) return { pod: own.pod, isCertain: true };
    }
    const [newest] = pods;
    if (newest === undefined) return { pod: undefined, isCertain: false };
    const { pod, deletedAtMs } = newest;
    const isOfOthers = id !== undefined &&
      pod.containerIds.some((known) => known.startsWith(`${container} `));
    if (!isOfOthers) return { pod, isCertain: true };
    // Started again in its place, most likely. After the pod's end only another pod can have it.
    return { pod: deletedAtMs === undefined ? pod : undefined, isCertain: false };
  }

  set(pod: Pod): void {
    this.forgetOld();
    const known = this.byUid.get(pod.uid);
    if (known === undefined) this.add(pod);
    else {
      const containerIds = allIds(known.pod, pod);
      const isNews = known.deletedAtMs !== undefined || known.pod.facts !== pod.facts ||
        known.pod.containerIds !== containerIds;
      known.pod = { ...pod, containerIds };
      known.isListed = true;
      known.deletedAtMs = undefined;
      this.deleted.delete(pod.uid);
      if (isNews) this.changed(pod.key);
    }
  }

  /** Keeps what is known for a while: lines of the pod may still be on their way. */
  delete(uid: string): void {
    const known = this.byUid.get(uid);
    if (known === undefined || known.deletedAtMs !== undefined) return;
    known.deletedAtMs = this.clock.nowMs();
    this.deleted.set(uid, known);
    this.changed(known.pod.key);
    this.forgetOld();
  }

  /** From here on all pods that are there are set. */
  listStarts(): void {
    for (const known of this.byUid.values()) known.isListed = false;
  }

  /** The others are gone. */
  listEnds(): void {
    for (const [uid, { isListed }] of this.byUid) if (!isListed) this.delete(uid);
  }

  /** Forgets pods that were deleted long ago. */
  forgetOld(): void {
    const sinceMs = this.clock.nowMs() - this.deletedTtlMs;
    for (const [uid, { deletedAtMs, pod }] of this.deleted) {
      if (this.deleted.size <= MAX_DELETED && deletedAtMs! > sinceMs) return;
      this.deleted.delete(uid);
      this.byUid.delete(uid);
      this.remove(pod);
    }
  }

  private add(pod: Pod): void {
    const known: KnownPod = { pod, deletedAtMs: undefined, isListed: true };
    this.byUid.set(pod.uid, known);
    const namesakes = this.byKey.get(pod.key);
    if (namesakes === undefined) this.byKey.set(pod.key, { pods: [known], version: 0 });
    else namesakes.pods.unshift(known);
    this.changed(pod.key);
  }

  private remove({ key, uid }: Pod): void {
    const namesakes = this.byKey.get(key)!;
    namesakes.pods = namesakes.pods.filter(({ pod }) => pod.uid !== uid);
    if (namesakes.pods.length === 0) this.byKey.delete(key);
    else this.changed(key);
  }

  private changed(key: string): void {
    this.byKey.get(key)!.version = ++this.version;
  }
}

function allIds(before: Pod, now: Pod): readonly string[] {
  const added = now.containerIds.filter((id) => !before.containerIds.includes(id));
  if (added.length === 0) return before.containerIds;
  return [...before.containerIds, ...added].slice(-MAX_CONTAINER_IDS);
}
