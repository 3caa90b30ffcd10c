import type { PluginContext } from "../../sdk/context.ts";
import type { GuestEvent } from "./messages.ts";

type Common = Extract<GuestEvent, { readonly type: "log" | "metric" | "unmetric" }>;
export type OwnEvent = Exclude<GuestEvent, Common>;

/** Does what plugins of every kind may ask for; returns the event when it is none of that. */
export function applyCommon(event: GuestEvent, ctx: PluginContext): OwnEvent | undefined {
  switch (event.type) {
    case "log":
      ctx.log[event.level](event.message, event.fields);
      return undefined;
    case "metric": {
      const { kind, name, help, labels, value } = event;
      const sample = ctx.metrics[kind](name, help, labels);
      sample.value = kind === "counter" ? sample.value + value : value;
      return undefined;
    }
    case "unmetric":
      ctx.metrics.remove(event.name, event.labels);
      return undefined;
    default:
      return event;
  }
}
