import {
  type Accessor,
  ConfigError,
  defineFilter,
  type Edit,
  field,
  type FilterContext,
  liftFields,
  nestFields,
  type NestNames,
  recordEditor,
} from "logcollector/plugin";
import * as z from "zod";

const config = z.object({
  operation: field.oneOf("nest", "lift").default("nest")
    .describe("nest puts fields under one key, lift takes them out of it"),
  wildcard: field.repeated(field.text()).default([])
    .describe("Names of the fields to nest; `abc*` takes all that start so"),
  nest_under: field.fieldName().optional()
    .describe("Field that becomes the map with the nested fields"),
  nested_under: field.fieldName().optional()
    .describe("Field with the map to lift the fields from"),
  add_prefix: field.text().optional()
    .describe("Text to put in front of the names of the nested or lifted fields"),
  remove_prefix: field.text().optional()
    .describe("Text to take off the names of the nested or lifted fields"),
});

type Options = z.output<typeof config>;

export default defineFilter({
  name: "nest",
  summary: "Moves fields into a nested map, or out of one.",
  config,
  create(options, ctx) {
    const edit = options.operation === "nest" ? nest(options, ctx) : lift(options, ctx);
    const editor = recordEditor([edit]);
    return {
      borrows: true,
      process(batch) {
        editor.edit(batch);
        return batch;
      },
    };
  },
});

function nest(options: Options, { log }: FilterContext): Edit {
  const { wildcard } = options;
  if (wildcard.length === 0) log.warn('Nothing is nested without a "wildcard"');
  const choice = {
    names: wildcard.filter((name) => !name.endsWith("*")),
    prefixes: wildcard.filter((name) => name.endsWith("*")).map((name) => name.slice(0, -1)),
  };
  return nestFields(choice, place(options, "nest_under"), namesOf(options));
}

function lift(options: Options, { log }: FilterContext): Edit {
  const from = place(options, "nested_under");
  return liftFields(from, namesOf(options), () => {
    log.warn(`Cannot lift from "${from.source}": its value is not a map`);
  });
}

/** Fluent Bit takes either name for either operation. */
function place(options: Options, usual: "nest_under" | "nested_under"): Accessor {
  const { nest_under, nested_under } = options;
  const found = usual === "nest_under" ? nest_under ?? nested_under : nested_under ?? nest_under;
  if (found === undefined) {
    throw new ConfigError(`"${usual}" is required with operation ${options.operation}`, usual);
  }
  return found;
}

function namesOf({ add_prefix, remove_prefix }: Options): NestNames {
  if (add_prefix !== undefined && remove_prefix !== undefined) {
    throw new ConfigError('cannot use both "add_prefix" and "remove_prefix"', "add_prefix");
  }
  return { addPrefix: add_prefix, removePrefix: remove_prefix };
}
