import type { Checkpoint } from "logcollector/plugin";
import type { Emission, InputDriver } from "../../support/input-driver.ts";
import type { Random } from "../../support/random.ts";
import { startTail } from "./tail-driver.ts";

/** What came in one life, and what had arrived before it. */
export interface Life {
  readonly lines: readonly string[];
  readonly before: ReadonlyMap<string, number>;
}

/** Tail in one life of the collector after the other, with what arrived in each. */
export class Lives {
  /** Those that are over. */
  readonly past: Life[] = [];
  /** How often each line arrived for good: it must not be read again. */
  readonly settled = new Map<string, number>();
  /** What is on disk between two lives. */
  private readonly kept = new Map<string, string>();
  private readonly options: Record<string, unknown>;
  private readonly random: Random;
  private input: InputDriver | undefined;
  /** How often each line arrived in the lives that are over. */
  private arrived = new Map<string, number>();
  /** Emissions whose position is on disk, or in a queue that is. */
  private committed = new Set<Emission>();

  constructor(options: Record<string, unknown>, random: Random) {
    this.options = options;
    this.random = random;
  }

  get isRunning(): boolean {
    return this.input !== undefined;
  }

  /** A new life has something to go by. */
  get hasMemory(): boolean {
    return this.kept.size > 0;
  }

  /** This life and the past ones. */
  all(): Life[] {
    if (this.input === undefined) return this.past;
    return [...this.past, { lines: this.input.values().map(String), before: this.arrived }];
  }

  /** How often each line arrived. */
  counts(): Map<string, number> {
    const counts = new Map(this.arrived);
    for (const line of this.input?.values() ?? []) count(counts, String(line));
    return counts;
  }

  start(): void {
    this.committed = new Set();
    this.input = startTail(this.options, { positions: this.kept, acks: "manual" });
  }

  /** Some of the batches become safe: of each stream the first so many. */
  ackSome(): void {
    for (const emissions of this.unacked().values()) {
      this.ack(emissions.slice(0, this.random.below(emissions.length + 1)));
    }
  }

  ackAll(): void {
    for (const emissions of this.unacked().values()) this.ack(emissions);
  }

  commit(): void {
    this.input!.positions.commit();
    for (const emission of this.input!.emissions) {
      if (emission.isAcked) this.committed.add(emission);
    }
  }

  /** An orderly end, in which what was read becomes safe. */
  async stop(): Promise<void> {
    await this.input!.stop();
    this.ackAll();
    this.commit();
    this.end();
  }

  /**
   * The end of the process. What lies in a disk queue arrives, and carries its position: what was emitted first is
   * there first.
   */
  async kill(): Promise<void> {
    const { emissions } = this.input!;
    const stopped = this.input!.kill();
    const queued = this.random.below(2) === 0 ? 0 : this.random.below(emissions.length + 1);
    for (const emission of emissions.slice(0, queued)) {
      if (emission.isAcked) continue;
      emission.isAcked = true;
      this.committed.add(emission);
      this.kept.set(emission.stream, (emission.ack as Checkpoint).position());
    }
    await stopped;
    this.end();
  }

  private end(): void {
    const { emissions } = this.input!;
    this.past.push(this.all().at(-1)!);
    this.arrived = new Map(this.arrived);
    for (const emission of emissions) {
      for (const { body } of emission.records) {
        if (emission.isAcked) count(this.arrived, String(body.log));
        if (this.committed.has(emission)) count(this.settled, String(body.log));
      }
    }
    this.input = undefined;
  }

  private unacked(): Map<string, Emission[]> {
    return Map.groupBy(
      this.input!.emissions.filter(({ isAcked }) => !isAcked),
      ({ stream }) => stream,
    );
  }

  private ack(emissions: readonly Emission[]): void {
    for (const emission of emissions) this.input!.ack(emission);
  }
}

function count(counts: Map<string, number>, line: string): void {
  counts.set(line, (counts.get(line) ?? 0) + 1);
}
