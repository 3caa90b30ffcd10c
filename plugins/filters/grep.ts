import {
  type Accessor,
  type Body,
  compileAccessor,
  compilePattern,
  ConfigError,
  defineFilter,
  field,
  type FilterContext,
  optionOrder,
  type Pattern,
} from "logcollector/plugin";
import * as z from "zod";

/** True for a record that is wanted. */
type Test = (body: Body) => boolean;

interface Rule {
  readonly key: Accessor;
  readonly pattern: Pattern;
}

/** The key ends at the first space; all that follows, spaces and quotes too, is the expression. */
const rule = field.custom("KEY REGEX", (text): Rule => {
  const [, key, regex] = /^ *([^ ]+) (.+)$/s.exec(text) ?? [];
  if (key === undefined || regex === undefined) {
    throw new RangeError(`expected "KEY REGEX", got ${JSON.stringify(text)}`);
  }
  return { key: compileAccessor(key), pattern: compilePattern(regex) };
});

const config = z.object({
  regex: field.repeated(rule).default([])
    .describe("Keep records in which the field's text matches the expression"),
  exclude: field.repeated(rule).default([])
    .describe("Drop records in which the field's text matches the expression"),
  logical_op: field.oneOf("legacy", "AND", "OR").default("legacy")
    .describe(
      "How rules combine; with legacy they count in order, and the first regex has the last word",
    ),
});

export default defineFilter({
  name: "grep",
  summary: "Keeps or drops records by regular expressions on their fields.",
  config,
  create(options, ctx) {
    const wanted = options.logical_op === "legacy" ? inOrder(options, ctx) : combined(options);
    return {
      process(batch) {
        const { records } = batch;
        let kept = 0;
        for (let i = 0; i < records.length; i++) {
          const record = records[i]!;
          if (wanted(record.body)) records[kept++] = record;
        }
        records.length = kept;
        return batch;
      },
    };
  },
});

type Options = z.output<typeof config>;

/** As written: a matching `exclude` drops, the first `regex` decides, and nothing after it is asked. */
function inOrder(options: Options, { log }: FilterContext): Test {
  const { regex, exclude } = options;
  const asked: Rule[] = [];
  for (const { option, index } of optionOrder(options)) {
    if (option === "exclude") asked.push(exclude[index]!);
    if (option !== "regex") continue;
    if (asked.length + 1 < exclude.length + regex.length) {
      log.warn("Rules after the first regex are never asked with logical_op legacy: use AND or OR");
    }
    const kept = match(regex[index]!);
    if (asked.length === 0) return kept;
    const dropped = any(asked);
    return (body) => !dropped(body) && kept(body);
  }
  return not(any(asked));
}

/** All rules, or any of them, must match. */
function combined({ regex, exclude, logical_op }: Options): Test {
  if (regex.length > 0 && exclude.length > 0) {
    throw new ConfigError(
      `cannot use both "regex" and "exclude" with logical_op ${logical_op}: use two grep filters`,
      "logical_op",
    );
  }
  if (regex.length === 0 && exclude.length === 0) return () => true;
  const join = logical_op === "AND" ? all : any;
  return regex.length > 0 ? join(regex) : not(join(exclude));
}

/** Only text matches: a number or a map is like a field that is absent. */
function match({ key, pattern }: Rule): Test {
  return (body) => {
    const value = key.get(body);
    return typeof value === "string" && pattern.test(value);
  };
}

function any(rules: readonly Rule[]): Test {
  const tests = rules.map(match);
  if (tests.length === 1) return tests[0]!;
  return (body) => tests.some((test) => test(body));
}

function all(rules: readonly Rule[]): Test {
  const tests = rules.map(match);
  return (body) => tests.every((test) => test(body));
}

function not(test: Test): Test {
  return (body) => !test(body);
}
