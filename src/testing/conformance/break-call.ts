import type { PluginDefinition } from "../../sdk/define.ts";

const COMMON = [
  "log.error",
  "log.warn",
  "log.info",
  "log.debug",
  "metrics.counter",
  "metrics.gauge",
  "clock.nowMs",
  "clock.wall",
  "clock.sleep",
  "clock.after",
  "parser",
  "multiline",
];

/** The calls of each kind's context. */
export const CONTEXT_CALLS: Readonly<Record<PluginDefinition["kind"], readonly string[]>> = {
  input: [...COMMON, "emit", "breathe", "stopWhenDone", "exitCode"],
  filter: [...COMMON, "emit", "hold", "reject", "stop"],
  output: COMMON,
  parser: ["log.error", "log.warn", "log.info", "log.debug"],
};

type Call = (...args: never[]) => unknown;
type Context = Readonly<Record<string, unknown>>;

/** The same plugin with a context of which one call, such as `clock.sleep`, does something else. */
export function withCall<D extends PluginDefinition>(
  definition: D,
  path: string,
  replacement: Call,
): D {
  const create = definition.create as (config: never, ctx: Context) => unknown;
  const [first, second] = path.split(".") as [string, string | undefined];
  return {
    ...definition,
    create(config: never, ctx: Context) {
      const part = second === undefined
        ? replacement
        : replaced(ctx[first] as object, second, replacement);
      return create.call(definition, config, { ...ctx, [first]: part });
    },
  };
}

/** An object that is the other one but for one function. */
function replaced(object: object, name: string, replacement: Call): object {
  return new Proxy(object, {
    get(target, key) {
      if (key === name) return replacement;
      const value = Reflect.get(target, key);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}
