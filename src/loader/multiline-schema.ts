import * as z from "zod";
import * as field from "../sdk/fields.ts";

const rule = z.object({
  state: field.text().describe(
    "States in which the rule applies, separated by commas; start_state first",
  ),
  regex: field.pattern().describe("Regular expression that the line must match"),
  next_state: field.text().default("").describe("State after the line"),
});

/** The options of an entry of `multiline_parsers`. */
export const multilineParserSchema = z.object({
  name: field.text().describe("Name that inputs and filters refer to"),
  type: field.oneOf("regex", "endswith", "equal", "eq").describe(
    "regex: rules with states; endswith: a line that ends with match_string completes the record; " +
      "equal (or eq): one that equals it does",
  ),
  parser: field.text().optional().describe("Parser that each line goes through first"),
  key_content: field.text().optional().describe("Field whose text is joined"),
  key_pattern: field.text().optional().describe(
    "Field that is compared with match_string, when it is not the content",
  ),
  key_group: field.text().optional().describe(
    "Field that tells interleaved streams apart, such as stdout and stderr",
  ),
  match_string: field.text().optional().describe("Text that endswith and equal look for"),
  negate: field.bool().default(false).describe("Complete the record at lines that do not match"),
  flush_timeout: field.duration("ms").default(4000).describe(
    "How long a record waits for its next line",
  ),
  rules: z.array(rule).default([]).describe("Rules of type regex, in the order they are tried"),
}).superRefine((options, check) => {
  const refuse = (option: string, message: string): void =>
    check.addIssue({ code: "custom", path: [option], message });
  if (options.type !== "regex") {
    if (!options.match_string) refuse("match_string", `type ${options.type} needs a match_string`);
    return;
  }
  const states = options.rules.flatMap(({ state }) => splitStates(state));
  if (options.rules.length === 0) refuse("rules", "type regex needs rules");
  else if (!splitStates(options.rules[0]!.state).includes("start_state")) {
    refuse("rules", 'the first rule must be one of state "start_state"');
  }
  for (const { next_state: next } of options.rules) {
    if (next !== "" && !states.includes(next)) {
      refuse("rules", `no rule has the state ${JSON.stringify(next)} that another leads to`);
    }
  }
});

export type MultilineOptions = z.output<typeof multilineParserSchema>;

/** The states of a rule: names separated by commas. */
export function splitStates(state: string): string[] {
  return state.split(",").map((name) => name.trim()).filter((name) => name !== "");
}
