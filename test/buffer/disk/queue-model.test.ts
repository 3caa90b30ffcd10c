import { describe, expect, test } from "bun:test";
import { Random } from "../../support/random.ts";
import type { DiskFault } from "./fragile-files.ts";
import { problemsOf, QueueModel, untilCrash } from "./queue-model.ts";

/** `SEED=7` runs that seed alone; `RUNS=5000` runs more of them. */
const ONLY = process.env.SEED === undefined ? undefined : Number(process.env.SEED);
const RUNS = Number(process.env.RUNS ?? 300);
const SEEDS = ONLY === undefined ? Array.from({ length: RUNS }, (_, i) => i + 1) : [ONLY];
const STEPS = 120;

type End = "kill" | "power";

/** One life of the collector: steps until it is ended, at a step or in the middle of a change to a file. */
async function live(
  model: QueueModel,
  random: Random,
  end: End,
  faults: readonly DiskFault[],
): Promise<void> {
  let changesLeft = random.below(3) === 0 ? 1 + random.below(60) : Infinity;
  model.files.onChange = () => {
    if (--changesLeft === 0) model.files.isCrashed = true;
  };
  const steps = random.below(STEPS);
  for (let i = 0; i < steps; i++) {
    const action = random.pick(
      [
        "emit",
        "emit",
        "emit",
        "finish",
        "turn",
        "turn",
        "take",
        "deliver",
        "deliver",
        "deliverInPart",
        "time",
        "commit",
      ] as const,
    );
    model.actions.push(action);
    if (faults.length > 0 && random.below(8) === 0) trouble(model, random, faults);
    const goesOn = await untilCrash(async () => {
      if (action === "time") await model.time(100 + random.below(1500));
      else if (action === "commit") await model.commit();
      else model[action]();
    });
    if (!goesOn || model.files.isCrashed) break;
  }
  model.actions.push(end);
  model.files.onChange = () => undefined;
  model.files.fault = () => undefined;
  if (end === "kill") model.kill();
  else model.losePower();
}

/** From now on the disk refuses something, or nothing any more. */
function trouble(model: QueueModel, random: Random, faults: readonly DiskFault[]): void {
  const fault = random.below(2) === 0 ? undefined : random.pick(faults);
  const operations = random.pick([["write", "create"], ["sync"], ["sync", "syncFolder", "write"]]);
  model.actions.push(fault === undefined ? "well" : `${fault} at ${operations.join("+")}`);
  model.files.fault = (operation) => operations.includes(operation) ? fault : undefined;
}

async function check(
  seed: number,
  ends: readonly End[],
  faults: readonly DiskFault[] = [],
): Promise<string[]> {
  const random = new Random(seed);
  const model = new QueueModel({ random, segmentBytes: 300 + random.below(1500) });
  const lives = 2 + random.below(5);
  let read = [0, 0];
  let powerLost = false;
  for (let i = 0; i < lives; i++) {
    await model.start();
    const end = random.pick(ends);
    powerLost ||= end === "power";
    await live(model, random, end, faults);
    read = read.map((n, source) => Math.max(n, model.positions[source]!));
  }
  await model.start();
  const upTo = Math.max(...read, ...model.positions) + 5;
  await model.finishAll(upTo);
  // After a loss of power what was not on the disk is read again, and may be there already.
  // So it is when a disk does not take note of what was delivered.
  const mayRepeat = powerLost || faults.length > 0 ? () => true : undefined;
  const problems = problemsOf(model, [upTo, upTo], mayRepeat);
  if (model.queue.records !== 0) problems.push(`${model.queue.records} records are still counted`);
  const dropped = model.drops.reduce((sum, { records }) => sum + records, 0);
  if (dropped > 0) problems.push(`${dropped} records were given up`);
  await model.commit();
  await model.queue.close();
  if (model.files.openDescriptors > 0) problems.push("descriptors are left open");
  if (problems.length > 0 && ONLY !== undefined) {
    console.log(model.actions.join(" "), model.delivered.join(" "));
  }
  return problems.map((problem) =>
    `seed ${seed}: ${problem}; ${model.logged.slice(0, 3).join("; ")}`
  );
}

describe("the disk queue over crashes", () => {
  test(`${SEEDS.length} seeded lives ended by kills lose nothing, and repeat only what was on its way`, async () => {
    for (const seed of SEEDS) expect(await check(seed, ["kill"])).toEqual([]);
  });

  test(`${SEEDS.length} seeded lives with a disk that fills up and fails lose nothing`, async () => {
    for (const seed of SEEDS) {
      expect(await check(seed, ["kill"], ["ENOSPC", "short", "EIO", "EROFS"])).toEqual([]);
    }
  });

  test(`fault 5: ${SEEDS.length} seeded lives ended by kills and losses of power lose nothing`, async () => {
    for (const seed of SEEDS) {
      const problems = await check(seed, ["kill", "power"]);
      expect(problems.filter((text) => !/came after/.test(text))).toEqual([]);
    }
  });
});
