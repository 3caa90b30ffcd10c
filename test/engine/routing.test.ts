import { expect, test } from "bun:test";
import fc from "fast-check";
import { Router } from "../../src/engine/router.ts";
import type { OutputRunner } from "../../src/engine/output-runner.ts";
import { compileTagMatch } from "../../src/lib/tag-match.ts";
import { testContext } from "../support/context.ts";

const word = fc.string({ unit: fc.constantFrom("a", "b", ".", "*"), maxLength: 8 });

test("compileTagMatch agrees with the regular expression that the rule stands for", () => {
  fc.assert(
    fc.property(word, word, (rule, tag) => {
      const naive = new RegExp(`^${rule.split("*").map(RegExp.escape).join(".*")}$`, "s");
      expect(compileTagMatch(rule)(tag)).toBe(naive.test(tag));
    }),
    { numRuns: 5000 },
  );
});

test("Router works a route out once per tag, and warns once of a tag that nobody wants", () => {
  let asked = 0;
  const output = (accepts: (tag: string) => boolean) =>
    ({
      accepts: (tag: string) => {
        asked++;
        return accepts(tag);
      },
    }) as OutputRunner;
  const all = output(() => true);
  const some = output((tag) => tag.startsWith("a"));
  const { log, logged } = testContext();
  const router = new Router([all, some], log);
  for (let i = 0; i < 3; i++) {
    expect(router.route("a.x")).toEqual([all, some]);
    expect(router.route("b")).toEqual([all]);
  }
  expect(asked).toBe(4);
  const picky = new Router([some], log);
  for (let i = 0; i < 3; i++) expect(picky.route("b")).toEqual([]);
  expect(logged.map(({ message }) => message)).toEqual([
    'No output matches tag "b": its records are dropped',
  ]);
});
