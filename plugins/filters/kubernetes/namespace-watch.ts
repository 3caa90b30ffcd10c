import { type Clock, type KubeClient, type KubeObject, listWatch } from "logcollector/plugin";
import { Upkeep } from "./upkeep.ts";

export interface NamespaceNeeds {
  readonly labels: boolean;
  readonly annotations: boolean;
}

export interface NamespaceFacts {
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** Keeps up with the namespaces of the cluster by one watch. */
export class NamespaceWatch {
  readonly upkeep: Upkeep;
  /** Changes with every change. */
  version = 0;
  private readonly needs: NamespaceNeeds;
  private readonly client: KubeClient;
  private readonly clock: Clock;
  private readonly stopped = new AbortController();
  /** A {@link NamespaceFacts} as JSON by name. One that was deleted stays until the next list. */
  private readonly known = new Map<string, string>();
  private readonly listed = new Set<string>();
  private askedAtSec = 0;

  constructor(needs: NamespaceNeeds, client: KubeClient, clock: Clock) {
    this.needs = needs;
    this.client = client;
    this.clock = clock;
    this.upkeep = new Upkeep(`namespaces from ${client.target}`, clock);
  }

  find(name: string): NamespaceFacts | undefined {
    const text = this.known.get(name);
    return text === undefined ? undefined : JSON.parse(text) as NamespaceFacts;
  }

  async run(): Promise<void> {
    await listWatch(this.client, { path: "/api/v1/namespaces" }, {
      listStarts: () => {
        this.askedAtSec = this.clock.wall().sec;
        this.listed.clear();
      },
      listed: (object) => this.set(object),
      listEnds: () => this.listEnds(),
      changed: (type, object) => {
        if (type !== "DELETED") this.set(object);
      },
      failed: (error) => this.upkeep.failed(error),
      watching: () => this.upkeep.works(),
    }, this.clock).run(this.stopped.signal);
  }

  close(): void {
    this.stopped.abort();
    this.upkeep.tell();
  }

  private set({ metadata }: KubeObject): void {
    const { name, labels, annotations } = (metadata ?? {}) as NamespaceFacts & { name?: string };
    if (name === undefined) return;
    const facts: NamespaceFacts = {
      ...(this.needs.labels && labels && { labels }),
      ...(this.needs.annotations && annotations && { annotations }),
    };
    this.listed.add(name);
    const text = JSON.stringify(facts);
    if (this.known.get(name) === text) return;
    this.known.set(name, text);
    this.version++;
    this.upkeep.tell(name);
  }

  private listEnds(): void {
    for (const name of this.known.keys()) if (!this.listed.has(name)) this.known.delete(name);
    this.listed.clear();
    this.upkeep.listed(this.askedAtSec);
  }
}
