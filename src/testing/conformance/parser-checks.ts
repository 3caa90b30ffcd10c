import { isDeepStrictEqual } from "node:util";
import type { ParserDefinition } from "../../sdk/define.ts";
import { testParser } from "../test-parser.ts";
import { type Checks, demand, messageOf, type Subject } from "./subject.ts";
import { bodyProblem } from "./well-formed.ts";

/** What every parser must get right. */
export function parserChecks(
  { definition, options, lines, deadlineMs }: Subject<ParserDefinition>,
): Checks {
  const results = () => {
    const parser = testParser(definition, options());
    return lines.map((line) => {
      try {
        return parser.parse(line);
      } catch (error) {
        const shown = JSON.stringify(line.slice(0, 80));
        throw new Error(`parse(${shown}) throws ${messageOf(error)}: return null for such a line`);
      }
    });
  };
  return {
    "gives fields in good form, or null, for any line": async () => {
      for (const body of results()) {
        const problem = body === null ? undefined : bodyProblem(body, "the result");
        demand(problem === undefined, `${problem}`);
      }
    },
    "gives the same for the same line again": async () => {
      const parser = testParser(definition, options());
      for (const line of lines) {
        const [first, second] = [parser.parse(line), parser.parse(line)];
        const shown = JSON.stringify(line.slice(0, 80));
        demand(isDeepStrictEqual(first, second), `parse(${shown}) gives another result again`);
      }
    },
    "is quick with lines that are meant to confuse it": async () => {
      const startMs = performance.now();
      results();
      const ms = Math.round(performance.now() - startMs);
      demand(ms < deadlineMs, `${lines.length} lines take ${ms} ms`);
    },
    "changes nothing outside": async () => {
      results();
      demand(!("polluted" in {}), 'a line with "__proto__" changed all objects: use setField()');
    },
  };
}
