import type { PluginDefinition } from "../../sdk/define.ts";
import type { Body } from "../../sdk/record.ts";
import type { Options } from "../options.ts";
import type { TestSettings } from "../plugin-test.ts";

/** One thing that every plugin of a kind must get right. */
export interface ConformanceCheck {
  /** Says what is checked, with the plugin's name: `mask: can be closed twice`. */
  readonly name: string;
  /** Resolves when the plugin gets it right; rejects with an Error that says what is wrong. */
  readonly run: () => Promise<void>;
}

export interface ConformanceOptions extends TestSettings {
  /** Options that the plugin works with, or a function that makes them anew for each check; `{}` by default. */
  readonly options?: Options | (() => Options);
  /** Records that a filter or output gets, such as those it was made for; some of every sort by default. */
  readonly records?: readonly Body[];
  /** Lines that a parser gets, besides some that are meant to confuse it. */
  readonly lines?: readonly string[];
  /** How long anything may take that should come to an end, in milliseconds of real time; 2000 by default. */
  readonly deadlineMs?: number;
  /** Checks to leave out, by their names without the plugin's, with the reason. An unknown name is an error. */
  readonly except?: Readonly<Record<string, string>>;
}

/** The plugin that is checked, with what the checks need. */
export interface Subject<D extends PluginDefinition = PluginDefinition> {
  readonly definition: D;
  readonly settings: TestSettings;
  readonly records: readonly Body[];
  readonly lines: readonly string[];
  readonly deadlineMs: number;
  options(): Options;
}

/** The checks of one group, by name. */
export type Checks = Readonly<Record<string, () => Promise<void>>>;

/** Throws with what is wrong when it is. */
export function demand(condition: boolean, problem: string): asserts condition {
  if (!condition) throw new Error(problem);
}

/** What an error says. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
