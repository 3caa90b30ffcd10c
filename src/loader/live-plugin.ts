import type { FilterContext, InputContext, OutputContext } from "../sdk/context.ts";
import type {
  FilterDefinition,
  InputDefinition,
  OutputDefinition,
  ParserContext,
  ParserDefinition,
  PluginDefinition,
} from "../sdk/define.ts";
import { optionOrder, rememberOptionOrder } from "../sdk/option-order.ts";
import { rawOptions, rememberRawOptions } from "../sdk/raw-options.ts";
import type { LiveInstance } from "./live/live-instance.ts";
import { LiveFilter } from "./live/live-filter.ts";
import { LiveInput } from "./live/live-input.ts";
import { LiveOutput } from "./live/live-output.ts";

interface Slot {
  readonly id: string;
  readonly config: object;
  readonly instance: LiveInstance;
  /** Makes the plugin of a newer definition with the same options. */
  readonly make: (definition: PluginDefinition, config: object) => unknown;
}

/**
 * A definition of the user's whose instances can go on with newer code, without the pipeline around them
 * noticing. What {@link definition} creates passes every call on to the plugin of the moment.
 */
export class LivePlugin {
  private current: PluginDefinition;
  private readonly slots = new Set<Slot>();

  constructor(first: PluginDefinition) {
    this.current = this.wrap(first);
  }

  /** Makes instances of the newest code. */
  get definition(): PluginDefinition {
    return this.current;
  }

  /**
   * Exchanges the plugin in all instances. Throws an Error when the new one cannot take the place of the old in
   * one of them, and then leaves all of them as they were.
   */
  async swap(next: PluginDefinition): Promise<void> {
    const ready: { readonly slot: Slot; readonly plugin: unknown }[] = [];
    try {
      for (const slot of this.slots) {
        const plugin = slot.make(next, reparse(next, slot));
        ready.push({ slot, plugin });
        slot.instance.check(plugin);
        await (plugin as { prepare?(): Promise<void> }).prepare?.();
      }
    } catch (error) {
      for (const { plugin } of ready) void closeQuietly(plugin);
      throw error;
    }
    for (const { slot, plugin } of ready) slot.instance.swap(plugin);
    this.current = this.wrap(next);
  }

  private wrap(first: PluginDefinition): PluginDefinition {
    switch (first.kind) {
      case "filter":
        return {
          ...first,
          create: (config: object, ctx: FilterContext) => this.filter(first, config, ctx),
        };
      case "output":
        return {
          ...first,
          create: (config: object, ctx: OutputContext) => this.output(first, config, ctx),
        };
      case "input":
        return {
          ...first,
          create: (config: object, ctx: InputContext) => this.input(first, config, ctx),
        };
      case "parser":
        return {
          ...first,
          create: (config: object, ctx: ParserContext) => this.parser(first, config, ctx),
        };
    }
  }

  private filter(first: FilterDefinition, config: object, ctx: FilterContext) {
    const instance = new LiveFilter(ctx, () => this.slots.delete(slot));
    const make = (definition: PluginDefinition, options: object) =>
      instance.make((inner) => (definition as FilterDefinition).create(options as never, inner));
    const slot = { id: ctx.id, config, instance: instance as LiveInstance, make };
    instance.start(make(first, config));
    this.slots.add(slot);
    return instance;
  }

  private output(first: OutputDefinition, config: object, ctx: OutputContext) {
    const make = (definition: PluginDefinition, options: object) =>
      (definition as OutputDefinition).create(options as never, ctx);
    const instance = new LiveOutput(make(first, config), () => this.slots.delete(slot));
    const slot = { id: ctx.id, config, instance: instance as LiveInstance, make };
    this.slots.add(slot);
    return instance.output;
  }

  private input(first: InputDefinition, config: object, ctx: InputContext) {
    const make = (definition: PluginDefinition, options: object) =>
      (definition as InputDefinition).create(options as never, ctx);
    const instance = new LiveInput(make(first, config), () => this.slots.delete(slot));
    const slot = { id: ctx.id, config, instance: instance as LiveInstance, make };
    this.slots.add(slot);
    return instance;
  }

  private parser(first: ParserDefinition, config: object, ctx: ParserContext) {
    const make = (definition: PluginDefinition, options: object) =>
      (definition as ParserDefinition).create(options as never, ctx);
    let current = make(first, config);
    const instance: LiveInstance<typeof current> = {
      check() {},
      swap: (next) => void (current = next),
    };
    const slot = { id: ctx.id, config, instance: instance as LiveInstance, make };
    this.slots.add(slot);
    return {
      parse: (line: string) => current.parse(line),
      close: () => void this.slots.delete(slot),
    };
  }
}

/** The instance's options, read by the new schema. */
function reparse(definition: PluginDefinition, { id, config }: Slot): object {
  const raw = rawOptions(config);
  const result = definition.config.safeParse(raw);
  if (!result.success) {
    const { path, message } = result.error.issues[0]!;
    throw new Error(`option ${JSON.stringify(path.join("."))} of ${id}: ${message}`);
  }
  rememberRawOptions(result.data, raw);
  rememberOptionOrder(result.data, optionOrder(config));
  return result.data;
}

async function closeQuietly(plugin: unknown): Promise<void> {
  try {
    await (plugin as { close?(): unknown }).close?.();
  } catch {
    // It never ran.
  }
}
