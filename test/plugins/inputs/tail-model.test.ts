import { expect, test } from "bun:test";
import { Random } from "../../support/random.ts";
import { TempFolder } from "../../support/temp-folder.ts";
import { Lives } from "./tail-lives.ts";
import { LogWriter, type RotationStyle } from "./tail-model.ts";

/** Set the seed to repeat one failed run, the number of runs to look longer, or both to look elsewhere. */
const SEED = Number(process.env.TAIL_SEED ?? 20261125);
const RUNS = Number(process.env.TAIL_RUNS ?? (process.env.TAIL_SEED === undefined ? 1000 : 1));
const AT_ONCE = 8;

/** One run: what went wrong in it, or nothing. */
async function run(seed: number): Promise<string | undefined> {
  const random = new Random(seed);
  using folder = new TempFolder();
  const names = random.pick([["app.log"], ["app.log", "web-1.log"]]);
  const style = random.pick<RotationStyle>(["rename", "copy"]);
  // What finds the rotated files finds copies too, and reads them as the files that they are.
  const withRotated = style === "rename" && random.below(2) === 0;
  const options = {
    path: names.map((name) => folder.at(name + (withRotated ? "*" : ""))).join(","),
    read_from_head: random.below(2) === 0,
    inotify_watcher: random.below(3) > 0,
    refresh_interval: `${random.pick([5, 20, 60])}ms`,
    rotate_wait: "20s",
    buffer_chunk_size: random.pick([4096, 65536]),
  };
  const lives = new Lives(options, random);
  const writers = names.map((name) => new LogWriter(folder, name, lives, random, style));
  let problem: string | undefined;
  const actions: string[] = [];
  try {
    lives.start();
    const steps = 5 + random.below(40);
    for (let i = 0; i < steps; i++) {
      if (random.below(4) === 0) actions.push(await change(lives, writers, random));
      else {
        const writer = random.pick(writers);
        await writer.step();
        actions.push(
          `${writers.length > 1 ? writers.indexOf(writer) : ""}${writer.actions.at(-1)}`,
        );
      }
    }
    if (!lives.isRunning) lives.start();
    for (const writer of writers) await writer.finish();
    await Bun.sleep(20);
    problem = writers.flatMap((writer) => writer.problems(!withRotated)).join("; ") || undefined;
  } catch (error) {
    problem = (error as Error).message;
  }
  if (lives.isRunning) await lives.stop();
  for (const writer of writers) writer.close();
  if (problem === undefined) return undefined;
  return `TAIL_SEED=${seed}: ${problem}\n  ${style} ${JSON.stringify(options)}\n  ${
    actions.join(" ")
  }`;
}

/** Something happens to the collector. */
async function change(
  lives: Lives,
  writers: readonly LogWriter[],
  random: Random,
): Promise<string> {
  if (!lives.isRunning) {
    if (random.below(3) > 0) return "-";
    lives.start();
    return "START";
  }
  const kind = random.pick(["ack", "ack", "commit", "commit", "stop", "kill", "kill"] as const);
  if (kind === "ack") lives.ackSome();
  else if (kind === "commit") lives.commit();
  // Who knows nothing begins at the end, as it is told to.
  else if (!lives.hasMemory) return "-";
  else {
    if (kind === "stop") await lives.stop();
    else await lives.kill();
    for (const writer of writers) writer.ended();
  }
  return kind.toUpperCase();
}

test(
  `tail loses and repeats nothing and keeps the order, whatever is done to the files and to it (TAIL_SEED=${SEED})`,
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
