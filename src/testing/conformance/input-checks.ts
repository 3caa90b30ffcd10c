import type { InputDefinition } from "../../sdk/define.ts";
import { inTime, until } from "../deadline.ts";
import { blocking, failing } from "../fault.ts";
import { prepareInput } from "../test-input.ts";
import { onlyDeadlines } from "./common-checks.ts";
import { make, pass } from "./made.ts";
import { type Checks, demand, type Subject } from "./subject.ts";
import { recordProblem } from "./well-formed.ts";

/** What every input must get right. */
export function inputChecks(subject: Subject<InputDefinition>): Checks {
  return {
    "returns when its signal is aborted": () => returnsWhenAborted(subject),
    "returns at once when its signal was aborted before": () => returnsAtOnce(subject),
    "returns when it is aborted while emit() waits": () => returnsFromEmit(subject),
    "comes to an end when emit() rejects": async () => {
      const input = make(subject, { onEmit: failing() });
      await input.work().catch(onlyDeadlines);
      await input.close();
    },
    "emits records in good form": () => emitsGoodRecords(subject),
    "can be acked after it was closed": () => takesLateAcks(subject),
  };
}

async function returnsWhenAborted(subject: Subject<InputDefinition>): Promise<void> {
  const { input, stop } = await started(subject);
  await stop();
  await input.close();
}

async function returnsAtOnce(
  { definition, settings, deadlineMs, options }: Subject<InputDefinition>,
) {
  const input = prepareInput(definition, options(), settings);
  const running = input.run(AbortSignal.abort()).catch(() => undefined);
  await inTime(running, "run() with a signal that was aborted before returns", deadlineMs);
  await input.close();
}

async function returnsFromEmit(subject: Subject<InputDefinition>): Promise<void> {
  const valve = blocking();
  const { input, stop } = await started(subject, { onEmit: valve.fault });
  await stop(() => valve.open());
  await input.close();
}

async function emitsGoodRecords(subject: Subject<InputDefinition>): Promise<void> {
  const { input, stop } = await started(subject);
  await stop();
  await input.close();
  for (const record of input.emissions.records) {
    const problem = recordProblem(record);
    demand(problem === undefined, `${problem}`);
  }
}

async function takesLateAcks(subject: Subject<InputDefinition>): Promise<void> {
  const { input, stop } = await started(subject, { acks: "manual" });
  await stop();
  await input.close();
  input.emissions.ackAll();
}

/** Runs an input until it emitted something, or for a moment when it does not. */
async function started(
  { definition, settings, deadlineMs, options }: Subject<InputDefinition>,
  emit: Parameters<typeof prepareInput>[2] = {},
) {
  let emits = 0;
  const input = prepareInput(definition, options(), {
    ...settings,
    ...emit,
    onEmit(call) {
      emits++;
      return emit.onEmit?.(call);
    },
  });
  const stopping = new AbortController();
  const running = input.run(stopping.signal).catch(() => undefined);
  await pass(input.bench.clock);
  await until(() => emits > 0 || input.state.returned, () => "", deadlineMs / 10)
    .catch(() => undefined);
  return {
    input,
    async stop(meanwhile: () => void = () => {}) {
      stopping.abort();
      meanwhile();
      await inTime(running, "run() returns after its signal was aborted", deadlineMs);
    },
  };
}
