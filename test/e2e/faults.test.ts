import { expect, setDefaultTimeout, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { Collector } from "../support/binary.ts";
import { TempFolder } from "../support/temp-folder.ts";

// What ends a test that waits in vain are the deadlines of what it waits for.
setDefaultTimeout(60_000);

test("fault 50: what a plugin throws where nobody catches it is said, and costs nothing else", async () => {
  using folder = new TempFolder();
  writeFileSync(
    folder.at("careless.ts"),
    `import { defineFilter } from "logcollector/plugin";
import * as z from "zod";
export default defineFilter({
  name: "careless",
  summary: "Forgets its promises",
  config: z.object({}),
  create: () => ({
    process(batch) {
      setTimeout(() => { throw new Error("from a timer"); }, 1);
      Promise.reject(new Error("from a promise"));
      return batch;
    },
  }),
});
`,
  );
  writeFileSync(
    folder.at("config.yaml"),
    `plugins: careless.ts
pipeline:
  inputs:
    - {name: dummy, rate: 50, samples: 5, tag: t}
  filters:
    - {name: careless, match: '*'}
  outputs:
    - {name: stdout, format: json_lines, json_date_key: off, match: '*'}
`,
  );
  await using run = new Collector(["-c", folder.at("config.yaml"), "-f", "0.1"]);
  await run.untilRecords(5);

  expect(await run.stop()).toBe(0);
  const said = run.messages.join("\n");
  expect(said).toContain("Nothing caught this error: from a timer; going on");
  expect(said).toContain("Nothing caught this error: from a promise; going on");
});

test("a plugin without options is refused with what to write, not with a stack", async () => {
  using folder = new TempFolder();
  writeFileSync(
    folder.at("bare.ts"),
    `export default { kind: "filter", name: "b", create() {} };\n`,
  );
  writeFileSync(folder.at("config.yaml"), "plugins: bare.ts\npipeline: {}\n");
  const run = await Collector.run(["-c", folder.at("config.yaml")]);
  expect(run.status).toBe(2);
  expect(run.stderr).toContain(
    'filter "b" has no schema for its options: write "config: z.object({})"',
  );
  expect(run.stderr.trim().split("\n").length).toBe(1);
});
