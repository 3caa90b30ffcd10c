import { type Clock, type Counter, type Gauge, KubeError, type Logger } from "logcollector/plugin";

/** A filter that goes by what is kept up to date. */
export interface Holder {
  readonly log: Logger;
  /** 1 while the server answers. */
  readonly up: Gauge;
  readonly failures: Counter;
  /** Complete lists that were read. */
  readonly lists: Counter;
}

/** `starting` until there is a first list or a first failure; `down` while the last attempt has failed. */
export type UpkeepState = "starting" | "current" | "down";

/**
 * How it stands with the knowledge about pods or namespaces. Says when the server is lost and when it is back, once each,
 * and lets wait for news.
 */
export class Upkeep {
  state: UpkeepState = "starting";
  /** Everything that was there at this time is known, in seconds since 1970; before the first list nothing is. */
  knownSinceSec = Infinity;
  readonly holders = new Set<Holder>();
  private readonly what: string;
  private readonly clock: Clock;
  private readonly waiting = new Map<string, Set<() => void>>();
  private said = "";
  private attempts = 0;

  /** @param what such as `pods from https://10.0.0.1:443` */
  constructor(what: string, clock: Clock) {
    this.what = what;
    this.clock = clock;
  }

  add(holder: Holder): void {
    this.holders.add(holder);
    holder.up.value = this.state === "current" ? 1 : 0;
  }

  failed(error: Error): void {
    this.attempts++;
    for (const { failures } of this.holders) failures.value++;
    this.turn("down");
    const reason = error.message;
    if (reason === this.said) return;
    this.said = reason;
    this.log?.error(`Cannot keep up with ${this.what}: ${reason}${adviceOn(error)}`);
  }

  /** From now on everything is known, and news come by themselves. */
  works(): void {
    this.turn("current");
    if (this.attempts > 0) this.log?.info(`Keeps up with ${this.what} again`);
    this.attempts = 0;
    this.said = "";
  }

  /** Everything that was there at this time is known. */
  listed(sec: number): void {
    this.knownSinceSec = sec;
    for (const { lists } of this.holders) lists.value++;
    if (this.state === "starting") this.turn("current");
    else this.tell();
  }

  /** There is news of one, or of all. */
  tell(key?: string): void {
    const told = key === undefined ? [...this.waiting.keys()] : [key];
    for (const each of told) {
      for (const wake of [...this.waiting.get(each) ?? []]) wake();
    }
  }

  /** Resolves when there is news of this one, or none can be expected, or the time is over. */
  news(key: string, ms: number): Promise<void> {
    return new Promise((resolve) => {
      const those = this.waiting.get(key) ?? new Set();
      this.waiting.set(key, those);
      const wake = () => {
        cancel();
        those.delete(wake);
        if (those.size === 0) this.waiting.delete(key);
        resolve();
      };
      const cancel = this.clock.after(ms, wake);
      those.add(wake);
    });
  }

  private turn(state: UpkeepState): void {
    if (this.state === state) return;
    this.state = state;
    for (const { up } of this.holders) up.value = state === "current" ? 1 : 0;
    this.tell();
  }

  private get log(): Logger | undefined {
    for (const { log } of this.holders) return log;
    return undefined;
  }
}

const ADVICE: ReadonlyMap<number, string> = new Map([
  [401, ". The server does not accept the token: see kube_token_file"],
  [403, ". The account of the token needs a role that may get, list and watch them"],
]);

function adviceOn(error: Error): string {
  return error instanceof KubeError ? ADVICE.get(error.status) ?? "" : "";
}
