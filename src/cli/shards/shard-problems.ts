import type { LoadedConfig } from "../../config/loaded-config.ts";
import { problemOf } from "../../config/problem-of.ts";
import type { ConfigProblem } from "../../config/problem.ts";
import { ConfigError } from "../../sdk/errors.ts";

/** What cannot be done with `service.workers` above 1. */
export function shardProblems(config: LoadedConfig): ConfigProblem[] {
  const { service: { workers }, inputs, filters, outputs } = config;
  if (workers === 1) return [];
  const isNot = (what: string, remedy: string) =>
    new ConfigError(`${what} cannot work with service.workers ${workers}: ${remedy}`);
  const alone = [...filters, ...outputs].filter(({ definition }) => definition.alone === true)
    .map((instance) =>
      problemOf(
        instance,
        isNot(instance.definition.name, "two of it would mix what they write; set workers to 1"),
      )
    );
  const idle = inputs.some(({ definition }) => definition.sharded === true)
    ? []
    : inputs.slice(0, 1)
      .map((input) =>
        problemOf(
          input,
          isNot("This configuration", "no input of it has streams to share; set workers to 1"),
        )
      );
  return [...alone, ...idle];
}
