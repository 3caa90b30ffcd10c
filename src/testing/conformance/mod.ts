import type { PluginDefinition } from "../../sdk/define.ts";
import { suggestion } from "../../lib/closest.ts";
import { commonChecks } from "./common-checks.ts";
import { filterChecks } from "./filter-checks.ts";
import { inputChecks } from "./input-checks.ts";
import { outputChecks } from "./output-checks.ts";
import { parserChecks } from "./parser-checks.ts";
import { SAMPLE_LINES, SAMPLE_RECORDS } from "./sample-records.ts";
import type { Checks, ConformanceCheck, ConformanceOptions, Subject } from "./subject.ts";

export type { ConformanceCheck, ConformanceOptions } from "./subject.ts";

const DEADLINE_MS = 2000;

/**
 * Everything that a plugin of its kind must get right, whatever it does: closed unused, closed twice, aborted in the
 * middle, given an unknown option, with every call of its context throwing, and more. Each check stands alone.
 *
 * ```ts
 * import { test } from "bun:test";
 * for (const { name, run } of conformance(mask, { options: { fields: "email" } })) test(name, run);
 * ```
 */
export function conformance(
  definition: PluginDefinition,
  options: ConformanceOptions = {},
): ConformanceCheck[] {
  const { records = [], lines = [], deadlineMs = DEADLINE_MS, except = {}, ...settings } = options;
  const given = options.options ?? {};
  const subject: Subject = {
    definition,
    settings: { ...settings, deadlineMs },
    deadlineMs,
    records: [...records, ...SAMPLE_RECORDS],
    lines: [...lines, ...SAMPLE_LINES],
    options: () => typeof given === "function" ? given() : given,
  };
  const checks = { ...commonChecks(subject), ...checksOfKind(subject) };
  for (const name of Object.keys(except)) {
    if (Object.hasOwn(checks, name)) continue;
    throw new Error(
      `Cannot leave out "${name}": no such check${suggestion(name, Object.keys(checks))}`,
    );
  }
  return Object.entries(checks).filter(([name]) => !Object.hasOwn(except, name))
    .map(([name, check]) => ({ name: `${definition.name}: ${name}`, run: check }));
}

function checksOfKind(subject: Subject): Checks {
  const { definition } = subject;
  switch (definition.kind) {
    case "input":
      return inputChecks({ ...subject, definition });
    case "filter":
      return filterChecks({ ...subject, definition });
    case "output":
      return outputChecks({ ...subject, definition });
    case "parser":
      return parserChecks({ ...subject, definition });
  }
}
