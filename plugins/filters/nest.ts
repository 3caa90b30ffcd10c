import {
  type Accessor,
  type Body,
  ConfigError,
  defineFilter,
  field,
  type FilterContext,
  isBody,
  setField,
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
    const change = options.operation === "nest" ? nest(options, ctx) : lift(options, ctx);
    return {
      process(batch) {
        for (const record of batch.records) record.body = change(record.body);
        return batch;
      },
    };
  },
});

function nest(options: Options, { log }: FilterContext): (body: Body) => Body {
  const under = place(options, "nest_under");
  const renamed = renamer(options);
  const prefixes = options.wildcard.filter((name) => name.endsWith("*"))
    .map((name) => name.slice(0, -1));
  const names = new Set(options.wildcard.filter((name) => !name.endsWith("*")));
  if (options.wildcard.length === 0) log.warn('Nothing is nested without a "wildcard"');
  const goes = (key: string): boolean =>
    names.has(key) || prefixes.some((prefix) => key.startsWith(prefix));
  return (body) => {
    const nested: Body = {};
    const rest: Body = {};
    let found = false;
    for (const key in body) {
      if (goes(key)) {
        found = true;
        setField(nested, renamed(key), body[key]!);
      } else setField(rest, key, body[key]!);
    }
    if (!found) return body;
    // What stood there before is replaced, and the map comes last.
    under.delete(rest);
    return under.set(rest, nested) ? rest : body;
  };
}

function lift(options: Options, { log }: FilterContext): (body: Body) => Body {
  const from = place(options, "nested_under");
  const renamed = renamer(options);
  return (body) => {
    const nested = from.exact(body);
    if (nested === undefined) return body;
    if (!isBody(nested)) {
      log.warn(`Cannot lift from "${from.source}": its value is not a map`);
      return body;
    }
    from.delete(body);
    for (const key in nested) {
      const name = renamed(key);
      // A field of the same name is replaced, and the lifted ones come last.
      delete body[name];
      setField(body, name, nested[key]!);
    }
    return body;
  };
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

function renamer({ add_prefix, remove_prefix }: Options): (key: string) => string {
  if (add_prefix !== undefined && remove_prefix !== undefined) {
    throw new ConfigError('cannot use both "add_prefix" and "remove_prefix"', "add_prefix");
  }
  if (add_prefix !== undefined) return (key) => add_prefix + key;
  if (remove_prefix === undefined) return (key) => key;
  return (key) => key.startsWith(remove_prefix) ? key.slice(remove_prefix.length) : key;
}
