import type { Plan } from "./plan.ts";
import type { Scenario } from "./scenario.ts";
import type { SinkMode } from "./torture-sink.ts";

function killed(plan: Plan, rotates: boolean): void {
  plan.write("app.log", "app", 5);
  plan.start();
  plan.settle();
  for (let i = 0; i < 6; i++) {
    plan.write("app.log", "app", 20 + plan.random.below(30));
    plan.kill();
    plan.write("app.log", "app", 3);
    if (rotates) plan.files((folder) => folder.rotate("app.log"));
    plan.write("app.log", "app", 3);
    plan.start();
  }
}

/** Two outages while lines come. */
function outage(plan: Plan, mode: SinkMode, kills: boolean): void {
  plan.write("app.log", "app", 5);
  plan.start();
  for (let i = 0; i < 2; i++) {
    plan.write("app.log", "app", 20);
    plan.sink(mode);
    for (let part = 0; part < 4; part++) {
      plan.write("app.log", "app", 30);
      plan.pause(500);
    }
    if (kills) {
      plan.kill();
      plan.write("app.log", "app", 5);
      plan.start();
      plan.write("app.log", "app", 20);
    }
    plan.sink("takes");
    plan.write("app.log", "app", 20);
    plan.pause(1500);
  }
}

const OUTAGES: readonly (readonly [SinkMode, string])[] = [
  ["down", "nobody listens"],
  ["refuses", "answers 503"],
  ["hangs", "never answers"],
  ["resets", "resets connections"],
  ["forgets", "takes, and closes without an answer"],
  ["slow", "answers after 0.7 s"],
];

export const PROCESS_SCENARIOS: readonly Scenario[] = [
  { name: "kill -9 under load, 6 times", path: "app.log", plan: (plan) => killed(plan, false) },
  {
    name: "the same, rotated meanwhile, `app.log`",
    path: "app.log",
    plan: (plan) => killed(plan, true),
  },
  {
    name: "the same, rotated meanwhile, `app.log*`",
    path: "app.log*",
    plan: (plan) => killed(plan, true),
  },
  ...OUTAGES.map(([mode, what]): Scenario => ({
    name: `destination: ${what}`,
    path: "app.log",
    plan: (plan) => outage(plan, mode, false),
  })),
  {
    name: "destination down, and kill -9",
    path: "app.log",
    plan: (plan) => outage(plan, "down", true),
  },
  {
    name: "destination hangs, and kill -9",
    path: "app.log",
    plan: (plan) => outage(plan, "hangs", true),
  },
];
