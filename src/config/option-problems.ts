import type * as z from "zod";
import type { OptionDescription } from "./describe-schema.ts";
import { type ConfigNode, entryOf, type MapNode } from "./node.ts";
import type { Position, Problems } from "./problem.ts";
import { isSecret } from "./secrets.ts";

/** One option as given, once or several times. */
export interface GivenOption {
  readonly key: string;
  readonly at: Position;
  /** One node for each value; a list counts as its items when the option is repeatable. */
  readonly values: ConfigNode[];
  /** What the schema says of it, if it lists the option. */
  readonly description: OptionDescription | undefined;
}

interface ReportContext {
  readonly map: MapNode;
  readonly owner: string;
  readonly given: ReadonlyMap<string, GivenOption>;
  /** Options that somebody was told to have meant: that they are missing needs no second line. */
  readonly meant: ReadonlySet<string>;
  readonly problems: Problems;
}

/** Reports what a schema found wrong, each at the place of the value, and never a secret. */
export function reportIssues(issues: readonly z.core.$ZodIssue[], context: ReportContext): void {
  const { map, owner, given, problems } = context;
  const reported = new Set<string>();
  for (const issue of issues) {
    const name = issue.path.length === 0 ? undefined : String(issue.path[0]);
    if (name === undefined) {
      problems.add(map.at, `${owner}: ${issue.message}`);
      continue;
    }
    const option = given.get(name);
    if (option === undefined) {
      if (reported.has(name) || context.meant.has(name)) continue;
      reported.add(name);
      problems.add(
        map.at,
        issue.code === "custom"
          ? `${owner}: ${issue.message}`
          : `missing required option "${name}" of ${owner}`,
      );
      continue;
    }
    const { node, missing } = valueAt(option, issue.path.slice(1));
    if (node.kind === "scalar" && node.unset) continue;
    const subject = `option "${option.key}" of ${owner}`;
    if (missing !== undefined && issue.code !== "custom") {
      problems.add(node.at, `${subject}: missing "${missing}"`);
      continue;
    }
    problems.add(node.at, `${subject}${valueProblem(name, node, issue, option.description)}`);
  }
}

/** The value that a schema's path leads to; `missing` is the step that the value lacks. */
function valueAt(
  { at, values, description }: GivenOption,
  path: readonly PropertyKey[],
): { node: ConfigNode; missing?: string } {
  let steps = path;
  let first = values[0];
  if (description?.repeatable && typeof path[0] === "number") {
    first = values[path[0]];
    steps = path.slice(1);
  }
  let node: ConfigNode = first ?? { kind: "list", at, items: [] };
  for (const step of steps) {
    const next: ConfigNode | undefined = node.kind === "list"
      ? node.items[Number(step)]
      : node.kind === "map"
      ? entryOf(node, String(step))?.value
      : undefined;
    if (next === undefined) return node.kind === "map" ? { node, missing: String(step) } : { node };
    node = next;
  }
  return { node };
}

function valueProblem(
  name: string,
  node: ConfigNode,
  issue: z.core.$ZodIssue,
  description: OptionDescription | undefined,
): string {
  const type = description?.type ?? "other";
  if (isSecret(name, node)) {
    return `: expected ${
      type === "string" ? "text" : `a value of type ${type}`
    }; what was given is not shown: ***`;
  }
  if (issue.code === "custom") return `: ${issue.message}`;
  if (node.kind !== "scalar" && issue.code === "invalid_union") {
    return ` must be one value of type ${type}, not a ${node.kind}`;
  }
  return `: ${lowerFirst(issue.message)}`;
}

function lowerFirst(text: string): string {
  return text.slice(0, 1).toLowerCase() + text.slice(1);
}
