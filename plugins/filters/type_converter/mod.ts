import {
  type Accessor,
  type Body,
  compileAccessor,
  compileFieldName,
  ConfigError,
  defineFilter,
  field,
  type FieldValue,
  type Logger,
} from "logcollector/plugin";
import * as z from "zod";
import { type Convert, converterFor, type SourceType } from "./convert.ts";

interface Rule {
  readonly from: Accessor;
  readonly to: Accessor;
  readonly convert: Convert;
}

const FORM = "KEY NEW_KEY TYPE";

const rules = (source: SourceType) =>
  field.repeated(field.custom(FORM, (text): Rule => {
    const words = field.splitWords(text, 4);
    if (words.length !== 3) throw new RangeError(`expected "${FORM}", got ${JSON.stringify(text)}`);
    const [from, to, type] = words as [string, string, string];
    return {
      from: compileAccessor(from),
      to: compileFieldName(to),
      convert: converterFor(source, type),
    };
  })).default([]);

const config = z.object({
  str_key: rules("string")
    .describe("Convert a text into a field of another type: int, uint, float, hex or bool"),
  int_key: rules("int")
    .describe("Convert an integer into a field of another type: string, float or uint"),
  uint_key: rules("uint")
    .describe("Convert an unsigned integer into a field of another type: string, float or int"),
  float_key: rules("float")
    .describe("Convert a float into a field of another type: string, int or uint"),
});

export default defineFilter({
  name: "type_converter",
  summary: "Converts fields between texts and numbers.",
  config,
  create({ str_key, int_key, uint_key, float_key }, ctx) {
    const all = [...str_key, ...int_key, ...uint_key, ...float_key];
    if (all.length === 0) throw new ConfigError("no conversion is given", "str_key");
    return {
      process(batch) {
        // A value that does not fit is copied as it is, but not where nothing in a whole batch fits.
        const waiting: Outcome[] = [];
        let converted = false;
        for (const { body } of batch.records) {
          const outcome = convertAll(all, body, ctx.log);
          converted ||= outcome.converted;
          waiting.push(outcome);
          if (!converted) continue;
          for (const each of waiting) put(all, each);
          waiting.length = 0;
        }
        return batch;
      },
    };
  },
});

/** What the rules made of a record, not yet written into it. */
interface Outcome {
  readonly body: Body;
  /** One per rule, `undefined` where its field is absent. */
  readonly values: (FieldValue | undefined)[];
  /** True when one of the values is new. */
  readonly converted: boolean;
}

/** All rules see the record as it came: what one of them makes is no source for the next. */
function convertAll(all: readonly Rule[], body: Body, log: Logger): Outcome {
  let converted = false;
  const values = all.map(({ from, convert }) => {
    const value = from.get(body);
    if (value === undefined) return undefined;
    const result = convert(value);
    if (result === undefined) log.error(`Cannot convert "${from.source}": its value does not fit`);
    else converted = true;
    return result ?? value;
  });
  return { body, values, converted };
}

function put(all: readonly Rule[], { body, values }: Outcome): void {
  for (let i = 0; i < all.length; i++) {
    const value = values[i];
    if (value === undefined) continue;
    // A field that is replaced moves to the end, as a new one would be there.
    all[i]!.to.delete(body);
    all[i]!.to.set(body, value);
  }
}
