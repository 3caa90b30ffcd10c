import { afterEach, expect, test } from "bun:test";
import { Batch, type Body, ConfigError } from "logcollector/plugin";
import { writeFileSync } from "node:fs";
import script from "../../../plugins/filters/script.ts";
import { type TestContext, testContext } from "../../support/context.ts";
import { TempFolder } from "../../support/temp-folder.ts";

const folders: TempFolder[] = [];
afterEach(() => folders.splice(0).forEach((folder) => folder[Symbol.dispose]()));

interface Given {
  readonly code?: string;
  readonly file?: string;
}

function run(options: Given, bodies: Body[], ctx: TestContext = testContext()): Body[] {
  const filter = script.create(script.config.parse(options), ctx);
  const records = bodies.map((body, i) => ({ sec: 10 + i, nsec: 500_000_000, body }));
  const result = filter.process(Batch.of("app", records)) as Batch;
  return result.records.map(({ body }) => body);
}

test("a script changes, drops and multiplies records", () => {
  const code = `(record: any, { tag, time }) => {
    if (record.n === 1) return null;
    if (record.n === 2) return [{ a: 1 }, { a: 2 }];
    if (record.n === 3) return [];
    return { ...record, tag, time };
  }`;
  expect(run({ code }, [{ n: 0 }, { n: 1 }, { n: 2 }, { n: 3 }, { n: 4 }])).toEqual([
    { n: 0, tag: "app", time: 10.5 },
    { a: 1 },
    { a: 2 },
    { n: 4, tag: "app", time: 14.5 },
  ]);
});

test.each([
  ["function named(record) { record.x = 1; return record; }"],
  ["// a comment\n(record) => { record.x = 1; return record };"],
  [`import { EOL } from "node:os";
    const one: number = EOL.length;
    export default (record) => ({ ...record, x: one });`],
  ["async_free = (record) => ({ ...record, x: 1 })"],
])("a script may be any expression or module that is a function: %s", (code) => {
  if (code.startsWith("async_free")) {
    expect(() => run({ code }, [{}])).toThrow(ConfigError);
    return;
  }
  expect(run({ code }, [{ a: 1 }])).toEqual([{ a: 1, x: 1 }]);
});

test("a script may stand in a file of its own", () => {
  const folder = new TempFolder();
  folders.push(folder);
  writeFileSync(folder.at("x.ts"), "export default (record) => ({ x: record.a });\n");
  expect(run({ file: folder.at("x.ts") }, [{ a: 1 }])).toEqual([{ x: 1 }]);
  writeFileSync(folder.at("bad.ts"), "\n\n(record) => {\n  return record.a.b;\n}\n");
  const ctx = testContext();
  const reasons: string[] = [];
  ctx.reject = (_record, error) => {
    reasons.push(String((error as Error).stack));
    return null;
  };
  expect(run({ file: folder.at("bad.ts") }, [{}], ctx)).toEqual([]);
  expect(reasons[0]).toContain("bad.ts#");
  expect(reasons[0]).toMatch(/:4:\d+/);
});

test.each([
  [{}, "give the function as code"],
  [{ code: "(r) => r", file: "x" }, "give the function as code"],
  [{ file: "/nowhere/x.ts" }, "ENOENT"],
  [{ code: "(record => " }, "Unexpected end of file"],
  [{ code: "5" }, "the code is a number, not a function"],
  [{ code: "export const x = 1" }, ""],
  [{ code: "(() => { throw new Error('at once'); })()" }, "at once"],
])("a script that cannot be compiled is a mistake in the configuration: %p", (options, reason) => {
  const make = () => script.create(script.config.parse(options), testContext());
  expect(make).toThrow(ConfigError);
  expect(make).toThrow(reason);
});

test.each([
  ["() => undefined", "returned undefined: return the record"],
  ["() => 5", "returned a number"],
  ["() => [1]", "returned a list with a number in it"],
  ["async (r) => r", "a promise, and must not be async"],
  ["(r) => r.x.y", "undefined is not an object"],
])("what %s does costs its record alone", (code, reason) => {
  const ctx = testContext();
  const reasons: string[] = [];
  ctx.reject = (record, error) => {
    reasons.push(String(error));
    return record.body.keep === true ? record : null;
  };
  expect(run({ code }, [{ n: 1 }, { keep: true }], ctx)).toEqual([{ keep: true }]);
  expect(reasons).toHaveLength(2);
  expect(reasons[0]).toContain(reason);
});
