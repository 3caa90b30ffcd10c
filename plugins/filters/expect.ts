import {
  type Accessor,
  type Body,
  compileAccessor,
  defineFilter,
  field,
  type FieldValue,
  setField,
  stringifyJson,
} from "logcollector/plugin";
import * as z from "zod";

/** What Fluent Bit's process ends with when a rule fails and the action is `exit`. */
const EXIT_STATUS = 255;

/** Checks the value of one place; says what is wrong with it. */
interface Rule {
  readonly key: Accessor;
  readonly wrong: (value: FieldValue | undefined) => string | undefined;
}

const ABSENT = "is absent";

const keyRule = (wrong: Rule["wrong"]) =>
  field.repeated(field.custom("KEY", (text): Rule => ({ key: compileAccessor(text), wrong })))
    .default([]);

/** The expected text may hold spaces and quotes. */
const equalsRule = field.custom("KEY VALUE", (text): Rule => {
  const [, key, expected] = /^ *([^ ]+) +(.+?) *$/s.exec(text) ?? [];
  if (key === undefined || expected === undefined) {
    throw new RangeError(`expected "KEY VALUE", got ${JSON.stringify(text)}`);
  }
  return {
    key: compileAccessor(key),
    wrong(value) {
      if (value === undefined) return ABSENT;
      // Only text is compared: Fluent Bit lets every other value pass.
      if (typeof value !== "string" || value === expected) return undefined;
      return `is "${value}" instead of "${expected}"`;
    },
  };
});

const config = z.object({
  key_exists: keyRule((value) => value === undefined ? ABSENT : undefined)
    .describe("Fields that must be there"),
  key_not_exists: keyRule((value) => value === undefined ? undefined : "is there")
    .describe("Fields that must not be there"),
  key_val_is_null: keyRule((value) =>
    value === null ? undefined : value === undefined ? ABSENT : "is not null"
  ).describe("Fields that must be there and null"),
  key_val_is_not_null: keyRule((value) =>
    value === undefined ? ABSENT : value === null ? "is null" : undefined
  ).describe("Fields that must be there and not null"),
  key_val_eq: field.repeated(equalsRule).default([])
    .describe("Fields whose text must be the one given; other types than text pass"),
  action: field.oneOf("warn", "exit", "result_key").default("warn")
    .describe("What happens when a rule fails: log it, stop the collector, or mark the record"),
  result_key: field.text().default("matched")
    .describe("Field that tells with action result_key whether all rules hold, put first"),
});

export default defineFilter({
  name: "expect",
  summary: "Checks that records are as they should be, for tests of a pipeline.",
  config,
  create({ action, result_key, ...options }, ctx) {
    const rules = Object.entries(options)
      .flatMap(([name, list]) => list.map((rule) => ({ name, ...rule })));
    if (rules.length === 0) ctx.log.warn("No rules are given: every record passes");

    const check = (body: Body): boolean => {
      for (const { name, key, wrong } of rules) {
        const problem = wrong(key.get(body));
        if (problem === undefined) continue;
        ctx.log.error(`Rule ${name} fails: "${key.source}" ${problem} in ${stringifyJson(body)}`);
        return false;
      }
      return true;
    };
    return {
      process(batch) {
        if (action === "result_key") {
          for (const record of batch.records) {
            record.body = withResult(result_key, check(record.body), record.body);
          }
          return batch;
        }
        for (const { body } of batch.records) {
          if (check(body) || action === "warn") continue;
          ctx.stop(EXIT_STATUS);
          break;
        }
        return batch;
      },
    };
  },
});

function withResult(key: string, result: boolean, body: Body): Body {
  const marked: Body = {};
  setField(marked, key, result);
  for (const name in body) {
    // A field of the record that has the same name wins, at its own place, as the last one does in JSON.
    if (name === key) delete marked[key];
    setField(marked, name, body[name]!);
  }
  return marked;
}
