import { isDeepStrictEqual } from "node:util";
import { Batch } from "../../sdk/batch.ts";
import type { FilterDefinition } from "../../sdk/define.ts";
import type { Body } from "../../sdk/record.ts";
import { failing } from "../fault.ts";
import { batchOf } from "../records.ts";
import { type FilterTest, testFilter } from "../test-filter.ts";
import { onlyDeadlines } from "./common-checks.ts";
import { make } from "./made.ts";
import { type Checks, demand, type Subject } from "./subject.ts";
import { recordProblem } from "./well-formed.ts";

/** What every filter must get right. */
export function filterChecks(subject: Subject<FilterDefinition>): Checks {
  const { records } = subject;
  return {
    "gives batches of records in good form": () =>
      withFilter(subject, async (filter) => {
        const batch = batchOf(records, filter.clock);
        checkResult(await filter.process(batch));
      }),
    "takes a batch without records": () =>
      withFilter(subject, async (filter) => {
        checkResult(await filter.process(Batch.of("test", [])));
      }),
    "counts no record twice": () => countsOnce(subject),
    "treats lines that nobody looked into like records": () => linesAreRecords(subject),
    "can be flushed unused, and twice": () =>
      withFilter(subject, async (filter) => {
        await filter.flush();
        await filter.feed(records);
        await filter.flush();
        const again = await filter.flush();
        demand(again.length === 0, `the second flush() gave ${again.length} records again`);
      }),
    "comes to an end when emit() rejects": async () => {
      const filter = make(subject, { onEmit: failing() });
      await filter.work().catch(onlyDeadlines);
      await filter.close();
    },
  };
}

async function withFilter(
  { definition, settings, options }: Subject<FilterDefinition>,
  work: (filter: FilterTest) => Promise<void>,
): Promise<void> {
  await using filter = testFilter(definition, options(), settings);
  await work(filter);
}

function checkResult(batches: readonly Batch[]): void {
  for (const batch of batches) {
    demand(
      batch instanceof Batch,
      "process() gave something that is no Batch: return batch.with(…)",
    );
    for (const record of batch.records) {
      const problem = recordProblem(record);
      demand(problem === undefined, `${problem}`);
    }
  }
}

/** A record is passed on, rejected, emitted or left out, but never two of these. */
async function countsOnce(subject: Subject<FilterDefinition>): Promise<void> {
  await withFilter(subject, async (filter) => {
    const batch = batchOf(subject.records, filter.clock);
    const out = (await filter.process(batch)).flatMap(({ records }) => records);
    const passed = new Set<Body>(out.map(({ body }) => body));
    demand(passed.size === out.length, "it returned one record twice: copy it with cloneValue()");
    const rejected = new Set(filter.rejected.map(({ body }) => body));
    demand(rejected.size === filter.rejected.length, "it rejected one record twice");
    const both = [...rejected].filter((body) => passed.has(body));
    demand(both.length === 0, `it rejected ${both.length} records that it returned too`);
    demand(
      rejected.size <= subject.records.length,
      `of ${subject.records.length} records it rejected ${rejected.size}`,
    );
  });
}

async function linesAreRecords(subject: Subject<FilterDefinition>): Promise<void> {
  const lines = ["first error line", "second", "", "third größer 東京 🚀"];
  let ofLines: Body[] = [];
  let ofRecords: Body[] = [];
  await withFilter(subject, async (filter) => {
    ofLines = [...await filter.feedLines(lines), ...await filter.flush()];
  });
  await withFilter(subject, async (filter) => {
    ofRecords = [...await filter.feed(lines.map((log) => ({ log }))), ...await filter.flush()];
  });
  const same = ofLines.length === ofRecords.length &&
    ofLines.every((body, i) =>
      isDeepStrictEqual(Object.keys(body).sort(), Object.keys(ofRecords[i]!).sort())
    );
  demand(same, "lines that were not made into records yet give another result than their records");
}
