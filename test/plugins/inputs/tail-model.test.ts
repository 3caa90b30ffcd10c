import { expect, test } from "bun:test";
import { Random } from "../../support/random.ts";
import { TempFolder } from "../../support/temp-folder.ts";
import { startTail } from "./tail-driver.ts";
import { LogWriter } from "./tail-model.ts";

/** Set the seed to repeat one failed run, or the number of runs to look longer. */
const SEED = Number(process.env.TAIL_SEED ?? Math.floor(Math.random() * 2 ** 31));
const RUNS = process.env.TAIL_SEED !== undefined ? 1 : Number(process.env.TAIL_RUNS ?? 200);
const AT_ONCE = 8;

/** One run: what went wrong in it, or nothing. */
async function run(seed: number): Promise<string | undefined> {
  const random = new Random(seed);
  using folder = new TempFolder();
  const names = random.pick([["app.log"], ["app.log", "web-1.log"]]);
  const withRotated = random.below(2) === 0;
  const options = {
    path: names.map((name) => folder.at(name + (withRotated ? "*" : ""))).join(","),
    inotify_watcher: random.below(3) > 0,
    refresh_interval: `${random.pick([5, 20, 60])}ms`,
    rotate_wait: "20s",
    buffer_chunk_size: random.pick([4096, 65536]),
  };
  const input = startTail(options);
  const writers = names.map((name) => new LogWriter(folder, name, input, random));
  let problem: string | undefined;
  try {
    const steps = 5 + random.below(40);
    for (let i = 0; i < steps; i++) await random.pick(writers).step();
    for (const writer of writers) await writer.finish();
    await Bun.sleep(20);
    problem = writers.flatMap((writer) => writer.problems(!withRotated)).join("; ") || undefined;
  } catch (error) {
    problem = (error as Error).message;
  }
  await input.stop();
  for (const writer of writers) writer.close();
  if (problem === undefined) return undefined;
  const actions = writers.map((writer) => writer.actions.join(" ")).join(" / ");
  return `TAIL_SEED=${seed}: ${problem}\n  ${JSON.stringify(options)}\n  ${actions}`;
}

test(
  `tail reads each line once and in order, whatever is done to the files (TAIL_SEED=${SEED})`,
  async () => {
    const failures: string[] = [];
    let next = 0;
    const worker = async () => {
      while (next < RUNS && failures.length < 3) {
        const failure = await run(SEED + next++);
        if (failure !== undefined) failures.push(failure);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
    expect(failures).toEqual([]);
  },
  60_000 + RUNS * 1000,
);
