import { expect, test } from "bun:test";
import type { Filter, FilterContext, Input, InputContext } from "logcollector/plugin";
import type { CheckpointFile, SavedPosition } from "../../src/engine/checkpoint-file.ts";
import { Random } from "../support/random.ts";
import {
  idleInput,
  numbers,
  ScriptedOutput,
  TestPipeline,
  type TestPipelineOptions,
} from "../support/test-pipeline.ts";

const LIVES = Number(process.env.LIVES ?? 300);
const SEED = Number(process.env.SEED ?? 20_261_127);

/** The counter's numbers are beyond those that the test emits itself. */
const FIRST = 1000;

type Mood = "takes" | "fails" | "hangs" | "takes its time";

/**
 * A pipeline with one input and one output that stay, among outputs, filters and an input that goes on from its
 * positions, which come, change and go.
 */
class Life {
  readonly kept = new ScriptedOutput();
  readonly acked: number[] = [];
  readonly pipeline: TestPipeline;
  private readonly ended: Promise<number>;
  private readonly random: Random;
  private outputs: readonly string[] = [];
  private filters: readonly string[] = [];
  private inputs: readonly string[] = [];
  /** The counter counts up to here. */
  private end = FIRST;
  private readonly saved = new Map<string, SavedPosition>();
  private mood: Mood = "takes";
  private next = 0;

  constructor(random: Random) {
    this.random = random;
    this.pipeline = new TestPipeline(this.options());
    this.ended = this.pipeline.pipeline.run();
  }

  async live(): Promise<void> {
    for (let step = 0; step < 25; step++) {
      const dice = this.random.below(10);
      if (dice < 3) this.emit();
      else if (dice < 4) this.end += this.random.below(6);
      else if (dice < 7) await this.pipeline.advance(50 * this.random.below(40));
      else if (dice < 8) {
        this.mood = this.random.pick(["takes", "fails", "hangs", "takes its time"] as const);
      } else await this.reload();
    }
  }

  async stop(): Promise<void> {
    this.mood = "takes";
    this.pipeline.pipeline.requestStop();
    await this.passing(this.ended);
  }

  /** What the input that stays emitted. */
  get emitted(): number[] {
    return Array.from({ length: this.next }, (_, n) => n);
  }

  /** What the counter has emitted, if it was there long enough. */
  get counted(): number[] {
    return Array.from({ length: this.end - FIRST }, (_, n) => FIRST + n);
  }

  /** How far the counter's numbers are safe, to the knowledge of its file. */
  get position(): number {
    return Number(this.saved.get("c")?.position ?? FIRST);
  }

  /** Lets the counter come to its end. */
  async finish(): Promise<void> {
    this.mood = "takes";
    this.inputs = ["counter"];
    this.outputs = [];
    this.filters = [];
    const reloading = this.pipeline.reload(this.options(), {
      unchanged: { input: ["input.0"], output: ["kept"] },
      replaces: { input: { counter: "counter" } },
    });
    expect(await this.passing(reloading)).toEqual([]);
    await this.pipeline.advance(8000);
  }

  get arrived(): number[] {
    return this.kept.delivered.flatMap((text) => text.split(" ").map(Number));
  }

  private emit(): void {
    for (let i = this.random.below(4); i >= 0; i--) {
      const n = this.next++;
      void this.pipeline.emit(numbers(n, 1), () => this.acked.push(n));
    }
  }

  private async reload(): Promise<void> {
    const before = { outputs: this.outputs, filters: this.filters, inputs: this.inputs };
    this.inputs = this.random.below(3) > 0 ? ["counter"] : [];
    this.outputs = ["a", "b", "c"].filter(() => this.random.below(2) === 0);
    this.filters = ["x", "y"].filter(() => this.random.below(2) === 0);
    const same = (ids: readonly string[], old: readonly string[]) =>
      ids.filter((id) => old.includes(id) && this.random.below(2) === 0);
    const outputs = same(this.outputs, before.outputs);
    const filters = same(this.filters, before.filters);
    const inputs = same(this.inputs, before.inputs);
    const pairs = (ids: readonly string[], kept: readonly string[], old: readonly string[]) =>
      Object.fromEntries(
        ids.filter((id) => old.includes(id) && !kept.includes(id)).map((id) => [id, id]),
      );
    const reloading = this.pipeline.reload(this.options(), {
      unchanged: { input: ["input.0", ...inputs], output: ["kept", ...outputs], filter: filters },
      replaces: {
        input: pairs(this.inputs, inputs, before.inputs),
        output: pairs(this.outputs, outputs, before.outputs),
        filter: pairs(this.filters, filters, before.filters),
      },
    });
    // What goes on meanwhile.
    if (this.random.below(2) === 0) this.emit();
    expect(await this.passing(reloading)).toEqual([]);
  }

  private options(): TestPipelineOptions {
    return {
      inputs: [
        { id: "input.0", create: idleInput },
        ...this.inputs.map((id) => ({ id, create: (ctx: InputContext) => this.counter(ctx) })),
      ],
      openCheckpoints: () => this.openFile(),
      outputs: [
        { id: "kept", output: this.kept },
        ...this.outputs.map((id) => ({ id, output: new ScriptedOutput(() => this.send()) })),
      ],
      filters: this.filters.map((id) => ({
        id,
        create: id === "x" ? oneBehind : (): Filter => this.slow(),
      })),
      payloadBytes: 6,
      graceMs: 2000,
    };
  }

  private counter(ctx: InputContext): Input {
    const positions = ctx.checkpoints({ path: "positions" });
    return {
      run: async (signal) => {
        for (let n = Number(positions.saved.get("c") ?? FIRST); !signal.aborted;) {
          if (n >= this.end) await ctx.clock.sleep(20, signal);
          else {
            const position = String(++n);
            await ctx.emit(numbers(n - 1, 1, "test", "c"), { position: () => position });
          }
        }
      },
    };
  }

  private openFile(): CheckpointFile {
    let isOpen = true;
    return {
      saved: new Map(this.saved),
      commit: (changed) => {
        if (!isOpen) throw new Error("The file is closed");
        for (const [stream, position] of changed) this.saved.set(stream, position);
      },
      close: () => void (isOpen = false),
    };
  }

  private async send(): Promise<void> {
    switch (this.mood) {
      case "takes":
        return;
      case "fails":
        throw new Error("away");
      case "hangs":
        return await new Promise(() => undefined);
      case "takes its time":
        return await this.pipeline.clock.sleep(700);
    }
  }

  /** Passes batches on in their order, some of them later. */
  private slow(): Filter {
    let line = Promise.resolve();
    const { clock } = this.pipeline;
    return {
      process: (batch) => {
        // Seldom enough that all of it is out again before a change ceases to wait for it.
        if (this.random.below(8) === 0) line = line.then(() => clock.sleep(30));
        return line.then(() => batch);
      },
    };
  }

  private async passing<T>(work: Promise<T>): Promise<T> {
    let isOver = false;
    void work.finally(() => (isOver = true));
    for (let i = 0; i < 400 && !isOver; i++) await this.pipeline.advance(50);
    return await work;
  }
}

/** Holds each batch back until the next one comes. */
function oneBehind(ctx: FilterContext): Filter {
  let held: { batch: ReturnType<typeof numbers>; release: () => void } | undefined;
  return {
    process(batch) {
      const before = held;
      held = { batch: batch.with(batch.records), release: ctx.hold() };
      if (before !== undefined) void ctx.emit(before.batch, before.release);
      return batch.with([]);
    },
    flush() {
      const last = held;
      held = undefined;
      return last === undefined ? [] : [last.batch];
    },
  };
}

test(
  `${LIVES} seeded lives full of reloads lose nothing and repeat nothing where records always went`,
  async () => {
    for (let life = 0; life < LIVES; life++) {
      const seed = SEED + life;
      const it = new Life(new Random(seed));
      await it.live();
      const isWhole = life % 2 === 0;
      if (isWhole) await it.finish();
      await it.stop();
      const arrived = it.arrived.filter((n) => n < FIRST);
      const counted = it.arrived.filter((n) => n >= FIRST);
      try {
        expect(arrived).toEqual(it.emitted);
        expect(counted).toEqual(isWhole ? it.counted : it.counted.slice(0, counted.length));
        // What is said to be safe is there.
        expect(it.position).toBeLessThanOrEqual(FIRST + counted.length);
        if (isWhole) expect(it.position).toBe(FIRST + counted.length);
        expect(it.pipeline.imbalances).toEqual([]);
        // Acked in order, and nothing twice; what a hanging output held at the end is not.
        expect(it.acked).toEqual(it.emitted.slice(0, it.acked.length));
      } catch (error) {
        throw new Error(`Seed ${seed}: ${(error as Error).message}`, { cause: error });
      }
    }
  },
  60_000,
);
