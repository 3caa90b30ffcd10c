import { LANGUAGE_RULES } from "../../lib/multiline/language-rules.ts";
import { StateRules } from "../../lib/multiline/state-rules.ts";
import { compilePattern } from "../../lib/pattern.ts";
import type { LineParser } from "../../sdk/context.ts";
import type { Body } from "../../sdk/record.ts";
import { CriBlockReader } from "./cri-block-reader.ts";
import { createCriParser } from "./cri-parser.ts";
import { type MultilineOptions, splitStates } from "../multiline-schema.ts";

/** A multiline parser, ready to be used by any number of streams. */
export interface MultilineDefinition {
  readonly name: string;
  /** What each line goes through first. */
  readonly parser: LineParser | undefined;
  readonly keyContent: string | undefined;
  readonly keyPattern: string | undefined;
  readonly keyGroup: string | undefined;
  readonly flushTimeoutMs: number;
  /** Rules with states, or else a test that says whether a line completes its record. */
  readonly rules: StateRules | undefined;
  readonly completes: (text: string) => boolean;
  /** Reads whole blocks, where there is a fast way. */
  readonly blocks?: CriBlockReader | undefined;
}

const DEFAULT_FLUSH_TIMEOUT_MS = 4000;

/** A multiline parser of the configuration. */
export function defineMultiline(
  options: MultilineOptions,
  parser: LineParser | undefined,
): MultilineDefinition {
  const match = options.match_string ?? "";
  const fits = options.type === "endswith"
    ? (text: string): boolean => text.endsWith(match)
    : (text: string): boolean => text === match;
  return {
    name: options.name,
    parser,
    keyContent: options.key_content || undefined,
    keyPattern: options.key_pattern || undefined,
    keyGroup: options.key_group || undefined,
    flushTimeoutMs: options.flush_timeout || DEFAULT_FLUSH_TIMEOUT_MS,
    rules: options.type === "regex" ? rulesOf(options) : undefined,
    completes: options.negate ? (text) => !fits(text) : fits,
  };
}

function rulesOf(options: MultilineOptions): StateRules {
  return new StateRules(options.rules.map((rule) => ({
    states: splitStates(rule.state),
    regex: rule.regex,
    nextState: rule.next_state,
  })));
}

/** A stack trace in one of the languages that are built in, or `undefined`. */
export function languageMultiline(name: string): MultilineDefinition | undefined {
  const rules = LANGUAGE_RULES[name];
  if (rules === undefined) return undefined;
  return {
    ...NO_KEYS,
    name,
    rules: new StateRules(rules.map(([states, regex, nextState]) => ({
      states: splitStates(states),
      regex: compilePattern(regex),
      nextState,
    }))),
    completes: () => false,
  };
}

export const LANGUAGES: readonly string[] = Object.keys(LANGUAGE_RULES);

const NO_KEYS = {
  parser: undefined,
  keyContent: undefined,
  keyPattern: undefined,
  keyGroup: undefined,
  flushTimeoutMs: DEFAULT_FLUSH_TIMEOUT_MS,
};

/** Docker's JSON lines: a text without a newline at its end goes on in the next line of the same stream. */
export function dockerMultiline(parser: LineParser): MultilineDefinition {
  return {
    ...NO_KEYS,
    name: "docker",
    parser,
    keyContent: "log",
    keyGroup: "stream",
    rules: undefined,
    completes: (text) => text.endsWith("\n"),
  };
}

/** The container runtimes' lines: parts marked P, and F for the last. */
export function criMultiline(nowSec: () => number): MultilineDefinition {
  return {
    ...NO_KEYS,
    name: "cri",
    parser: createCriParser(nowSec),
    blocks: new CriBlockReader(nowSec),
    keyContent: "log",
    keyPattern: "_p",
    keyGroup: "stream",
    rules: undefined,
    completes: (text) => text === "F",
  };
}

/** A field that the engine of multiline works on, if it holds text. */
export function textOf(body: Body, key: string | undefined): string | undefined {
  const value = key === undefined ? undefined : body[key];
  return typeof value === "string" ? value : undefined;
}
