import { LINE_ID, type Plan, type Written } from "./plan.ts";
import type { Connection } from "./torture-sink.ts";

export interface Verdict {
  readonly written: number;
  readonly lost: number;
  /** Came again, beyond what was on its way when the collector was killed or the answer was lost. */
  readonly doubled: number;
  /** Came again, and may: nobody can know better. */
  readonly excused: number;
  /** Records that are no line that was written, or not the whole of it. */
  readonly damaged: number;
  /** Lines that came after a later one of their source. */
  readonly unordered: number;
  readonly examples: readonly string[];
}

const MAX_EXAMPLES = 6;

/** Compares what came with what was written. */
export class Judge {
  lastMs = 0;
  /** Lines that are here, each as often as it was written at most. */
  arrived = 0;
  private readonly plan: Plan;
  private readonly counts = new Map<string, number>();
  private readonly latest = new Map<string, number>();
  private readonly mayRepeat = new Set<string>();
  private readonly lastOf = new WeakMap<Connection, readonly string[]>();
  private readonly orphans = new WeakSet<Connection>();
  private doubled = 0;
  private excused = 0;
  private damaged = 0;
  private unordered = 0;
  private readonly examples: string[] = [];

  constructor(plan: Plan) {
    this.plan = plan;
  }

  take(body: Buffer, connection: Connection): void {
    this.lastMs = performance.now();
    const ids: string[] = [];
    for (const line of body.toString().split("\n")) {
      if (line !== "") ids.push(...this.takeRecord(line));
    }
    this.lastOf.set(connection, ids);
    if (this.orphans.has(connection)) this.excuse(connection);
  }

  /** For a collector that is killed, also what is read off this connection later. */
  orphan(connection: Connection): void {
    this.orphans.add(connection);
    this.excuse(connection);
  }

  /** The sender cannot know what became of its last request on this connection. */
  excuse(connection: Connection): void {
    for (const id of this.lastOf.get(connection) ?? []) this.mayRepeat.add(id);
  }

  verdict(): Verdict {
    let lost = 0;
    for (const [id, { times }] of this.plan.lines) {
      const missing = times - (this.counts.get(id) ?? 0);
      if (missing > 0) this.example(`lost ${id}`);
      if (missing > 0) lost += missing;
    }
    const { doubled, excused, damaged, unordered, examples } = this;
    return { written: this.plan.written, lost, doubled, excused, damaged, unordered, examples };
  }

  private takeRecord(json: string): string[] {
    const log = logOf(json);
    const ids = log?.match(LINE_ID) ?? [];
    const written = ids.length === 1 ? this.plan.lines.get(ids[0]!) : undefined;
    if (log === undefined || written === undefined || !isRight(log, written)) {
      this.damaged++;
      this.example(`damaged ${JSON.stringify((log ?? json).slice(0, 200))}`);
    }
    for (const id of ids) this.count(id);
    return [...ids];
  }

  private count(id: string): void {
    const before = this.counts.get(id) ?? 0;
    this.counts.set(id, before + 1);
    const times = this.plan.lines.get(id)?.times ?? 0;
    if (before >= times) {
      if (this.mayRepeat.has(id)) return void this.excused++;
      this.doubled++;
      return this.example(`doubled ${id}`);
    }
    this.arrived++;
    const [source, number] = id.slice(0, -1).split("#") as [string, string];
    const latest = this.latest.get(source) ?? -1;
    if (Number(number) >= latest) this.latest.set(source, Number(number));
    else {
      this.unordered++;
      this.example(`${id} after ${latest}`);
    }
  }

  private example(text: string): void {
    if (this.examples.length < MAX_EXAMPLES) this.examples.push(text);
  }
}

function logOf(json: string): string | undefined {
  try {
    const { log } = JSON.parse(json);
    return typeof log === "string" ? log : undefined;
  } catch {
    return undefined;
  }
}

function isRight(log: string, { text, accepts }: Written): boolean {
  return accepts === undefined ? log === text : accepts(log);
}
