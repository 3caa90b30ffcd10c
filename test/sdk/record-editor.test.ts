import { expect, test } from "bun:test";
import fc from "fast-check";
import {
  addText,
  allOf,
  anyOf,
  Batch,
  compileAccessor,
  compilePattern,
  copyField,
  type Edit,
  fieldEquals,
  fieldExists,
  fieldMatches,
  jsonEncoder,
  JsonTail,
  keepRecords,
  keepsAnyField,
  liftFields,
  moveToEnd,
  moveToStart,
  nestFields,
  not,
  recordEditor,
  type RecordTest,
  removeField,
  removePrefixed,
  renameField,
  selectFields,
  setText,
  someRecord,
} from "logcollector/plugin";
import { jsonBatch, line, name, NOW, prefix, recordsBatch, text } from "./json-batches.ts";

const RUNS = Number(process.env.RUNS ?? 1000);
type Step = (batch: Batch) => void;

const accessor = fc.oneof(
  name.map((key) => ({ source: key })),
  fc.array(name, { minLength: 1, maxLength: 3 }).map(([first, ...more]) => ({
    source: `$${first}${more.map((key) => `['${key}']`).join("")}`,
  })),
  fc.constant({ source: "$a[0]" }),
).map(({ source }) => compileAccessor(source));
const selection = fc.record({
  names: fc.array(fc.oneof(name, fc.constantFrom("A", "AB", "B_1", "É")), { maxLength: 3 }),
  prefixes: fc.array(fc.oneof(prefix, fc.constantFrom("A", "B_")), { maxLength: 2 }),
  keeps: fc.boolean(),
});
const PATTERNS = [
  "^error",
  "o$",
  "[0-9]+",
  '\\w "',
  "é",
  "^$",
  "(?i)TRUE",
  "rue|als",
  "\\.",
  "^no$",
];
const question = fc.letrec<{ test: RecordTest; leaf: RecordTest }>((tie) => ({
  leaf: fc.oneof(
    accessor.map(fieldExists),
    selection.map(keepsAnyField),
    fc.tuple(accessor, text).map(([field, expected]) => fieldEquals(field, expected)),
    fc.tuple(accessor, fc.constantFrom(...PATTERNS), fc.boolean())
      .map(([field, regex, booleans]) => fieldMatches(field, compilePattern(regex), { booleans })),
  ),
  test: fc.oneof(
    { weight: 4, arbitrary: tie("leaf") },
    fc.array(tie("leaf"), { maxLength: 3 }).map(allOf),
    fc.array(tie("leaf"), { maxLength: 3 }).map(anyOf),
    tie("leaf").map(not),
  ),
})).test;

const names = fc.oneof(
  fc.constant({}),
  prefix.map((addPrefix) => ({ addPrefix })),
  prefix.map((removePrefix) => ({ removePrefix })),
);
const replace = fc.boolean().map((replace) => ({ replace }));
const edit: fc.Arbitrary<Edit> = fc.oneof(
  fc.tuple(name, text).map((args) => setText(...args)),
  fc.tuple(name, text).map((args) => addText(...args)),
  name.map(removeField),
  prefix.map(removePrefixed),
  fc.tuple(name, name, replace).map((args) => renameField(...args)),
  fc.tuple(name, name, replace).map((args) => copyField(...args)),
  prefix.map(moveToStart),
  prefix.map(moveToEnd),
  fc.tuple(fc.array(name, { maxLength: 2 }), fc.array(prefix, { maxLength: 2 }), name, names)
    .map(([exact, prefixes, under, change]) =>
      nestFields({ names: exact, prefixes }, compileAccessor(under), change)
    ),
  selection.map(selectFields),
  fc.tuple(name, names).map(([from, change]) =>
    liftFields(compileAccessor(from), change, () => undefined)
  ),
);
const TAILS = [new JsonTail({ k: { app: "x" }, b_9: 'é"' }), new JsonTail({ ab: true })];

interface Described {
  readonly name: string;
  readonly run: Step;
}
const step: fc.Arbitrary<Described> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.tuple(fc.array(edit, { minLength: 1, maxLength: 3 }), fc.option(question))
      .map(([edits, where]): Described => {
        const editor = recordEditor(edits, where ?? undefined);
        return { name: "edit", run: (batch) => editor.edit(batch) };
      }),
  },
  {
    weight: 2,
    arbitrary: question.map((test): Described => ({
      name: "keep",
      run: (batch) => keepRecords(batch, test),
    })),
  },
  {
    weight: 1,
    arbitrary: question.map((test): Described => ({
      name: "keep if there is one",
      run(batch) {
        if (someRecord(batch, test)) keepRecords(batch, test);
      },
    })),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(...TAILS).map((tail): Described => ({
      name: "append",
      run(batch) {
        // Fields that are there keep their place: then there is nothing to compare.
        if (batch.json === undefined) { for (const { body } of batch.records) tail.addTo(body); }
        else if (!batch.append(tail)) { for (const { body } of batch.records) tail.addTo(body); }
      },
    })),
  },
);
const steps = fc.array(step, { minLength: 1, maxLength: 4 });

function written(batch: Batch): string {
  const parts: Buffer[] = [];
  jsonEncoder({ format: "json_lines", dateKey: "date" }).encode(batch, {
    text: (text) => parts.push(Buffer.from(text)),
    bytes: (bytes) => parts.push(Buffer.from(bytes)),
  });
  return Buffer.concat(parts).toString();
}

test("records that stay bytes are kept and changed as those that were made", () => {
  fc.assert(
    fc.property(fc.array(line, { minLength: 1, maxLength: 6 }), steps, (lines, all) => {
      const [bytes, records] = [jsonBatch(lines), recordsBatch(lines)];
      for (const { run } of all) {
        run(bytes);
        run(records);
        expect(bytes.length).toBe(records.length);
      }
      expect(written(bytes)).toBe(written(records));
    }),
    { numRuns: RUNS },
  );
}, 600_000);

test("lines are kept and changed as the records that they become", () => {
  const raw = fc.array(text.map((each) => each.replaceAll("\n", " ")), { minLength: 1 });
  const extra = fc.option(fc.dictionary(name, text, { maxKeys: 2 }), { nil: undefined });
  fc.assert(
    fc.property(raw, extra, name, steps, (lines, extra, key, all) => {
      const source = { key, ...NOW, extra };
      const text = Buffer.from(lines.join("\n"));
      const bytes = Batch.ofLines("t", { ...source, bytes: text, count: lines.length });
      const records = Batch.ofLines("t", { ...source, lines });
      expect(records.records).toHaveLength(lines.length);
      for (const { run } of all) {
        run(bytes);
        run(records);
      }
      expect(written(bytes)).toBe(written(records));
    }),
    { numRuns: RUNS },
  );
}, 600_000);

test("fields are changed without making records", () => {
  const batch = jsonBatch(['{"level":"info","msg":"x","r_a":1,"r_b":"2"}', '{"level":"none"}']);
  keepRecords(batch, not(fieldMatches(compileAccessor("level"), compilePattern("^none$"))));
  recordEditor([renameField("msg", "message", { replace: false }), addText("c", "d")]).edit(batch);
  const choice = { names: [], prefixes: ["r_"] };
  recordEditor([nestFields(choice, compileAccessor("r"), {})]).edit(batch);
  expect(batch.json).toBeDefined();
  expect(batch.length).toBe(1);
  expect(batch.records[0]!.body).toEqual({
    level: "info",
    message: "x",
    c: "d",
    r: { r_a: 1, r_b: "2" },
  });
});

test("names that grow too long for the kernel's memory are left to values", () => {
  const fields = Array.from({ length: 100 }, (_, i) => `"k${i}":"${"v".repeat(1000)}"`);
  const lines = [`{${fields.join()}}`, '{"k":1}'];
  const nest = nestFields({ names: [], prefixes: ["k"] }, compileAccessor("n"), {
    addPrefix: "p".repeat(4000),
  });
  const [bytes, records] = [jsonBatch(lines), recordsBatch(lines)];
  for (const batch of [bytes, records]) recordEditor([nest, addText("z", "1")]).edit(batch);
  expect(written(bytes)).toBe(written(records));
});

test("a record that takes values is changed beside the others", () => {
  const batch = jsonBatch(['{"m":{"a":1}}', '{"m":5}', '{"m":{"0":1},"x":2}']);
  const complaints: string[] = [];
  recordEditor([liftFields(compileAccessor("m"), {}, () => complaints.push("no map"))]).edit(batch);
  expect(batch.json).toBeDefined();
  expect(complaints).toEqual(["no map"]);
  expect(written(batch)).toBe(
    ['{"date":1700000000.000005,"a":1}', '{"date":1700000000.000005,"m":5}', ""]
      .join("\n").replace(/\n$/, '\n{"0":1,"date":1700000000.000005,"x":2}\n'),
  );
});

test("where most records take values, batches are made records for a while", () => {
  const editor = recordEditor([liftFields(compileAccessor("m"), {}, () => undefined)]);
  const lines = Array.from({ length: 40 }, () => '{"m":5}');
  const first = jsonBatch(lines);
  editor.edit(first);
  expect(first.json?.rewritten.size).toBe(40);
  const second = jsonBatch(lines);
  editor.edit(second);
  expect(second.json).toBeUndefined();
  let batches = 1;
  for (;; batches++) {
    const next = jsonBatch(['{"m":{}}']);
    editor.edit(next);
    if (next.json !== undefined) break;
  }
  expect(batches).toBeGreaterThan(10);
});
