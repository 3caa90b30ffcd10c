import { ConfigError } from "../sdk/errors.ts";
import type { AnyInstance, ParserSection } from "./loaded-config.ts";
import type { MapNode } from "./node.ts";
import type { GivenOption } from "./option-problems.ts";
import type { ConfigProblem } from "./problem.ts";
import { redact, secretsOf } from "./secrets.ts";

interface Source {
  /** How a message names it: `input "tail"`. */
  readonly owner: string;
  readonly map: MapNode;
  readonly given: ReadonlyMap<string, GivenOption>;
}

const sources = new WeakMap<object, Source>();

/** Keeps what {@link problemOf} needs, beside the instance instead of in it. */
export function rememberSource(
  instance: object,
  source: Source,
): void {
  sources.set(instance, source);
}

/**
 * What setting up a plugin or a parser found wrong, at the place of the option that the error names.
 * Only a {@link ConfigError} is the user's mistake; any other error says so. Secrets among the options
 * are taken out of the message.
 */
export function problemOf(instance: AnyInstance | ParserSection, error: unknown): ConfigProblem {
  const { owner, map, given } = sources.get(instance)!;
  const name = error instanceof ConfigError ? error.option?.toLowerCase() : undefined;
  const option = name === undefined ? undefined : given.get(name);
  const secrets = [...given].flatMap(([key, { values }]) =>
    values.flatMap((value) => secretsOf(key, value))
  );
  const reason = redact(error instanceof Error ? error.message : String(error), secrets);
  const { file, line, column } = option?.values[0]?.at ?? map.at;
  const subject = option === undefined ? owner : `option "${option.key}" of ${owner}`;
  const what = error instanceof ConfigError ? "" : "cannot be set up: ";
  return { file, line, column, message: `${subject}: ${what}${reason}` };
}
