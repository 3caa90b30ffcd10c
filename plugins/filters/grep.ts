import {
  allOf,
  anyOf,
  compileAccessor,
  compilePattern,
  ConfigError,
  defineFilter,
  field,
  fieldMatches,
  type FilterContext,
  keepRecords,
  not,
  optionOrder,
  type RecordTest,
} from "logcollector/plugin";
import * as z from "zod";

/** The key ends at the first space; all that follows, spaces and quotes too, is the expression. */
const rule = field.custom("KEY REGEX", (text): RecordTest => {
  const [, key, regex] = /^ *([^ ]+) (.+)$/s.exec(text) ?? [];
  if (key === undefined || regex === undefined) {
    throw new RangeError(`expected "KEY REGEX", got ${JSON.stringify(text)}`);
  }
  // Only text matches: a number or a map is like a field that is absent.
  return fieldMatches(compileAccessor(key), compilePattern(regex));
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
      borrows: true,
      process(batch) {
        keepRecords(batch, wanted);
        return batch;
      },
    };
  },
});

type Options = z.output<typeof config>;

/** As written: a matching `exclude` drops, the first `regex` decides, and nothing after it is asked. */
function inOrder(options: Options, { log }: FilterContext): RecordTest {
  const { regex, exclude } = options;
  const asked: RecordTest[] = [];
  for (const { option, index } of optionOrder(options)) {
    if (option === "exclude") asked.push(exclude[index]!);
    if (option !== "regex") continue;
    if (asked.length + 1 < exclude.length + regex.length) {
      log.warn("Rules after the first regex are never asked with logical_op legacy: use AND or OR");
    }
    const kept = regex[index]!;
    if (asked.length === 0) return kept;
    return allOf([not(anyOf(asked)), kept]);
  }
  return not(anyOf(asked));
}

/** All rules, or any of them, must match. */
function combined({ regex, exclude, logical_op }: Options): RecordTest {
  if (regex.length > 0 && exclude.length > 0) {
    throw new ConfigError(
      `cannot use both "regex" and "exclude" with logical_op ${logical_op}: use two grep filters`,
      "logical_op",
    );
  }
  if (regex.length === 0 && exclude.length === 0) return allOf([]);
  const join = logical_op === "AND" ? allOf : anyOf;
  return regex.length > 0 ? join(regex) : not(join(exclude));
}
