import type { Pattern } from "../pattern.ts";

/** A rule as it is configured. */
export interface StateRule {
  /** The states in which the rule applies; a rule of `start_state` begins a record. */
  readonly states: readonly string[];
  readonly regex: Pick<Pattern, "test">;
  /** The state after a line that matched, "" for none. */
  readonly nextState: string;
}

/** A rule that knows which rules may follow it. */
export interface LinkedRule {
  readonly regex: Pick<Pattern, "test">;
  readonly isStart: boolean;
  /** The rules of its next state that go on with the record, in order. */
  readonly following: readonly LinkedRule[];
  /** True when the next state has a rule that begins a record: then the record is complete. */
  readonly completes: boolean;
}

/** Links rules by their states. Throws RangeError when a next state belongs to no rule. */
export class StateRules {
  private readonly starts: readonly LinkedRule[];

  constructor(rules: readonly StateRule[]) {
    const linked = rules.map((rule) => ({
      regex: rule.regex,
      isStart: rule.states.includes("start_state"),
      following: [] as LinkedRule[],
      completes: false,
    }));
    rules.forEach((rule, i) => {
      if (rule.nextState === "") return;
      const next = linked.filter((_, j) => rules[j]!.states.includes(rule.nextState));
      if (next.length === 0) throw new RangeError(`no rule has the state "${rule.nextState}"`);
      linked[i]!.following.push(...next.filter((other) => !other.isStart));
      linked[i]!.completes = next.some((other) => other.isStart);
    });
    this.starts = linked.filter((rule) => rule.isStart);
  }

  /** The rule by which `line` begins a record. */
  start(line: string): LinkedRule | undefined {
    return firstMatch(this.starts, line);
  }

  /** The rule by which `line` goes on with the record whose last line matched `rule`. */
  next(rule: LinkedRule, line: string): LinkedRule | undefined {
    return firstMatch(rule.following, line);
  }
}

function firstMatch(rules: readonly LinkedRule[], line: string): LinkedRule | undefined {
  for (let i = 0; i < rules.length; i++) {
    if (rules[i]!.regex.test(line)) return rules[i];
  }
  return undefined;
}
