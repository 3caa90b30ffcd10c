import type {
  FilterContext,
  InputContext,
  OutputContext,
  PluginContext,
} from "../../sdk/context.ts";
import type { PluginDefinition } from "../../sdk/define.ts";
import { optionOrder } from "../../sdk/option-order.ts";
import { rawOptions } from "../../sdk/raw-options.ts";
import { IsolatedFilter } from "./isolated-filter.ts";
import { IsolatedInput } from "./isolated-input.ts";
import { IsolatedOutput } from "./isolated-output.ts";
import type { IsolationOptions } from "./worker-host.ts";

export type { IsolationOptions } from "./worker-host.ts";

/**
 * The same plugin, of which every instance runs in a worker of its own: whatever it does there costs a new
 * worker, and never the pipeline. Throws an Error for a parser.
 */
export function isolate(definition: PluginDefinition, options: IsolationOptions): PluginDefinition {
  const hosted = (config: object, ctx: PluginContext) => ({
    ...options,
    log: ctx.log,
    metrics: ctx.metrics,
    assignment: {
      path: options.path,
      kind: definition.kind,
      name: definition.name,
      options: rawOptions(config),
      order: optionOrder(config),
      id: ctx.id,
    },
  });
  switch (definition.kind) {
    case "input":
      return {
        ...definition,
        create: (config: object, ctx: InputContext) => {
          const base = hosted(config, ctx);
          return new IsolatedInput(ctx, {
            ...base,
            assignment: { ...base.assignment, tag: ctx.tag },
          });
        },
      };
    case "filter":
      return {
        ...definition,
        create: (config: object, ctx: FilterContext) => {
          const base = hosted(config, ctx);
          return new IsolatedFilter(ctx, {
            ...base,
            assignment: { ...base.assignment, onError: ctx.onError },
          });
        },
      };
    case "output":
      return {
        ...definition,
        create: (config: object, ctx: OutputContext) => {
          const base = hosted(config, ctx);
          return new IsolatedOutput(ctx, {
            ...base,
            assignment: { ...base.assignment, match: ctx.match },
          });
        },
      };
    case "parser":
      throw new Error(
        `Cannot load ${options.path}: parser "${definition.name}" is called for each line and cannot run in a ` +
          'worker: use "isolation: inline"',
      );
  }
}
