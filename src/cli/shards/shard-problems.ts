import type { AnyInstance, LoadedConfig } from "../../config/loaded-config.ts";
import { problemOf } from "../../config/problem-of.ts";
import type { ConfigProblem } from "../../config/problem.ts";
import { ConfigError } from "../../sdk/errors.ts";

/** What cannot be done with several threads, of which `service.workers` or an earlier run's queues ask for so many. */
export function shardProblems(config: LoadedConfig, threads: number): ConfigProblem[] {
  const { service: { workers }, inputs, filters, outputs } = config;
  if (threads === 1) return [];
  const why = workers > 1
    ? `with service.workers ${workers}`
    : `while queues of an earlier run with ${threads} workers hold records`;
  const problem = (instance: AnyInstance, message: string) =>
    problemOf(instance, new ConfigError(message));
  const alone = [...filters, ...outputs].filter(({ definition }) => definition.alone === true)
    .map((each) =>
      problem(
        each,
        `${each.definition.name} cannot work ${why}: two of it would mix what they write; ${
          workers > 1
            ? "set workers to 1"
            : "deliver them first, with the configuration from before"
        }`,
      )
    );
  const isShared = inputs.some(({ definition }) => definition.sharded === true);
  if (workers === 1 || isShared) return alone;
  const idle = inputs.slice(0, 1).map((each) =>
    problem(
      each,
      "service.workers is of no use: no input has streams to share; set workers to 1",
    )
  );
  return [...alone, ...idle];
}
