import { isDeepStrictEqual } from "node:util";
import { Batch } from "../../sdk/batch.ts";
import { isEncodedOutput, type OutputDefinition } from "../../sdk/define.ts";
import { inTime } from "../deadline.ts";
import { PayloadBuilder } from "../payload-builder.ts";
import { batchOf, batchOfLines, copyRecords } from "../records.ts";
import { type OutputTest, testOutput } from "../test-output.ts";
import { onlyDeadlines } from "./common-checks.ts";
import { type Checks, demand, type Subject } from "./subject.ts";

/** What every output must get right. */
export function outputChecks(subject: Subject<OutputDefinition>): Checks {
  const { records } = subject;
  return {
    "does not change the records that it encodes": () =>
      withOutput(subject, async ({ output, clock }) => {
        if (!isEncodedOutput(output)) return;
        const batch = batchOf(records, clock);
        const before = copyRecords(batch.records);
        output.encode(batch, new PayloadBuilder());
        demand(
          isDeepStrictEqual(batch.records, before),
          "encode() changed the records, which other outputs share: change copies",
        );
      }),
    "accounts for every record that it encodes": () => accountsForAll(subject),
    "encodes a batch without records": () =>
      withOutput(subject, async ({ output }) => {
        if (!isEncodedOutput(output)) return;
        const builder = new PayloadBuilder();
        output.encode(Batch.of("test", []), builder);
        demand(builder.counted === 0, `it counted ${builder.counted} records where there are none`);
      }),
    "encodes lines that nobody looked into": () =>
      withOutput(subject, async ({ output, clock }) => {
        if (!isEncodedOutput(output)) return;
        const builder = new PayloadBuilder();
        output.encode(batchOfLines(["first", "", "größer 東京 🚀"], clock), builder);
        demand(builder.counted === 3, `it accounted for ${builder.counted} of 3 lines`);
      }),
    "gives up a delivery when its signal is aborted": () =>
      withOutput(subject, async (output) => {
        await settlesAborted(output, subject, AbortSignal.abort());
        const abort = new AbortController();
        const settled = settlesAborted(output, subject, abort.signal);
        await Promise.resolve();
        abort.abort();
        await settled;
      }),
    "can be used again after a delivery that was given up": () =>
      withOutput(subject, async (output) => {
        await settlesAborted(output, subject, AbortSignal.abort());
        const giveUp = new AbortController();
        const late = setTimeout(() => giveUp.abort(), subject.deadlineMs / 4);
        await settlesAborted(output, subject, giveUp.signal).finally(() => clearTimeout(late));
      }),
  };
}

async function withOutput(
  { definition, settings, options }: Subject<OutputDefinition>,
  work: (output: OutputTest) => Promise<void>,
): Promise<void> {
  await using output = testOutput(definition, options(), settings);
  await work(output);
}

async function accountsForAll(subject: Subject<OutputDefinition>): Promise<void> {
  await withOutput(subject, async ({ output, clock }) => {
    if (!isEncodedOutput(output)) return;
    const batch = batchOf(subject.records, clock);
    const builder = new PayloadBuilder();
    output.encode(batch, builder);
    demand(
      builder.counted === batch.length,
      `of ${batch.length} records it accounted for ${builder.counted}: give text() and bytes() the ` +
        `number of records, and say drop() for those that it leaves out`,
    );
  });
}

/** An aborted delivery may succeed or fail, but it ends. */
async function settlesAborted(
  output: OutputTest,
  { records, deadlineMs }: Subject,
  signal: AbortSignal,
): Promise<void> {
  const work = output.write(records, { signal });
  await inTime(work, "the delivery ends after its signal was aborted", deadlineMs)
    .catch(onlyDeadlines);
}
