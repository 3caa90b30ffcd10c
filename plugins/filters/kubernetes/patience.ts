import type { Batch, Clock } from "logcollector/plugin";
import type { Container, Containers, Lack } from "./containers.ts";

/** In so much time … */
const PERIOD_MS = 60_000;
/** … batches wait this long in all. */
const MAX_WAIT_MS = 10_000;
/** A watch tells what happens within this time, else it hangs. */
const NEWS_SEC = 30;
/** The server's memory of the present is so old at most. */
const STALE_SEC = 5;

/**
 * Says when records of a new container may wait for its metadata, and lets them wait: once for each container, not when the
 * metadata cannot come any more, and in all only a part of the time.
 */
export class Patience {
  private readonly waitMs: number;
  private readonly clock: Clock;
  private readonly containers: Containers;
  private startMs: number | undefined;
  private periodMs = -Infinity;
  private waitedMs = 0;

  constructor(waitMs: number, clock: Clock, containers: Containers) {
    this.waitMs = waitMs;
    this.clock = clock;
    this.containers = containers;
  }

  /** What a batch with the newest record of this time is to wait for: nothing most of the time. */
  lackOf(container: Container, sec: () => number): Lack | undefined {
    if (container.hasWaited || this.waitMs === 0) return undefined;
    const lack = this.containers.lackOf(container);
    if (lack === undefined) return undefined;
    const { upkeep: { state, knownSinceSec } } = lack;
    if (state === "down") return undefined;
    const nowMs = this.clock.nowMs();
    this.startMs ??= nowMs;
    if (nowMs - this.periodMs > PERIOD_MS) {
      this.periodMs = nowMs;
      this.waitedMs = 0;
    }
    if (this.waitedMs >= MAX_WAIT_MS) return undefined;
    if (state === "starting") return nowMs - this.startMs < this.waitMs ? lack : undefined;
    // What is older was there when everything was listed, or was told of, or is gone.
    const newsSince = Math.max(knownSinceSec - STALE_SEC, this.clock.wall().sec - NEWS_SEC);
    return sec() >= newsSince ? lack : undefined;
  }

  /** Resolves when there is nothing more to wait for. */
  async wait(container: Container, first: Lack, sec: number): Promise<void> {
    const beginMs = this.clock.nowMs();
    const endMs = beginMs + this.waitMs;
    let lack: Lack | undefined = first;
    for (let nowMs = beginMs; lack !== undefined; nowMs = this.clock.nowMs()) {
      if (nowMs >= endMs) {
        container.hasWaited = true;
        break;
      }
      await lack.upkeep.news(lack.key, endMs - nowMs);
      this.containers.metadataOf(container);
      lack = this.lackOf(container, () => sec);
    }
    this.waitedMs += this.clock.nowMs() - beginMs;
  }
}

/** The time of a batch's last record, in seconds. Does not make records. */
export function lastSecOf(batch: Batch): number {
  const { raw, json } = batch;
  if (raw !== undefined) return raw.sec;
  if (json !== undefined) return json.sec[json.count - 1]!;
  return batch.records.at(-1)?.sec ?? 0;
}
