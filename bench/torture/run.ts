import type { Contender } from "./contender.ts";
import type { Plan, Step } from "./plan.ts";
import type { Scenario } from "./scenario.ts";

/** Nothing has come for so long: nothing will. Longer than a search for new files and a retry take. */
const QUIET_MS = 3500;
const LAST_QUIET_MS = 7000;
const LONGEST_MS = 90_000;

/** Lets the same happen to all, and then gives them the time and the restart that they may need. */
export async function run(
  scenario: Scenario,
  plan: Plan,
  contenders: readonly Contender[],
): Promise<void> {
  for (const contender of contenders) await contender.open(scenario);
  for (const step of plan.steps) await take(step, contenders);
  await settle(contenders, plan.written, LAST_QUIET_MS);
  for (const act of ["stop", "start"] as const) await all(contenders, (each) => each[act]());
  await settle(contenders, plan.written, QUIET_MS);
  await all(contenders, (each) => each.stop());
}

async function take(step: Step, contenders: readonly Contender[]): Promise<void> {
  switch (step.kind) {
    case "files":
      for (const { files } of contenders) step.act(files);
      break;
    case "pause":
      await Bun.sleep(step.ms);
      break;
    case "settle":
      await settle(contenders, step.written, QUIET_MS);
      break;
    case "process":
      await all(contenders, (each) => each[step.act]());
      break;
    case "sink":
      await all(contenders, ({ sink }) => sink.set(step.mode));
  }
}

async function all(
  contenders: readonly Contender[],
  act: (contender: Contender) => Promise<void>,
): Promise<void> {
  await Promise.all(contenders.map(act));
}

/** Until each has so many lines, or gets nothing more; doubles had a moment to come, too. */
async function settle(
  contenders: readonly Contender[],
  written: number,
  quietMs: number,
): Promise<void> {
  const startMs = performance.now();
  const isDone = ({ judge }: Contender): boolean => {
    const nowMs = performance.now();
    const isQuiet = nowMs - Math.max(judge.lastMs, startMs) > quietMs;
    return judge.arrived >= written || isQuiet || nowMs - startMs > LONGEST_MS;
  };
  while (!contenders.every(isDone)) await Bun.sleep(20);
}
