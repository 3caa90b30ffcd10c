import { describe, expect, test } from "bun:test";
import { StateRules } from "../../../src/lib/multiline/state-rules.ts";

const rules = new StateRules([
  { states: ["start_state"], regex: /^start/, nextState: "body" },
  { states: ["body", "deep"], regex: /^ /, nextState: "deep" },
  { states: ["deep"], regex: /^end/, nextState: "start_state" },
  { states: ["body"], regex: /^stop/, nextState: "" },
]);

describe("StateRules", () => {
  test("begins with a rule of start_state only", () => {
    expect(rules.start("start")).toBeDefined();
    expect(rules.start(" x")).toBeUndefined();
  });

  test("goes on with the rules of the next state, not with a start", () => {
    const start = rules.start("start")!;
    expect(rules.next(start, "end")).toBeUndefined();
    const deep = rules.next(start, " x")!;
    expect(rules.next(deep, " y")).toBe(deep);
    expect(rules.next(deep, "end")!.completes).toBe(true);
    expect(rules.next(rules.next(deep, "end")!, "start")).toBeUndefined();
  });

  test("goes nowhere from a rule without a next state", () => {
    const stop = rules.next(rules.start("start")!, "stop")!;
    expect(stop.completes).toBe(false);
    expect(rules.next(stop, " x")).toBeUndefined();
  });

  test("refuses a next state that no rule has", () => {
    expect(() => new StateRules([{ states: ["start_state"], regex: /x/, nextState: "lost" }]))
      .toThrow('no rule has the state "lost"');
  });
});
