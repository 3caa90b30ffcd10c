import type {
  FilterDefinition,
  InputDefinition,
  OutputDefinition,
  PluginDefinition,
} from "../../sdk/define.ts";
import { inTime } from "../deadline.ts";
import type { FakeClock } from "../fake-clock.ts";
import type { Fault } from "../fault.ts";
import type { Options } from "../options.ts";
import { closePlugin } from "../plugin-test.ts";
import { testFilter } from "../test-filter.ts";
import { prepareInput } from "../test-input.ts";
import { testOutput } from "../test-output.ts";
import { testParser } from "../test-parser.ts";
import type { Subject } from "./subject.ts";

/** A plugin that was made, whatever its kind. */
export interface Made {
  /** Timers that wait on the plugin's clock. */
  readonly pendingTimers: number;
  /** Works with the plugin for a moment: runs an input and aborts it, sends records through a filter or output. */
  work(): Promise<void>;
  close(): Promise<void>;
}

/** What a check changes of the plugin's surroundings. */
export interface Changes {
  readonly options?: Options;
  readonly onEmit?: Fault;
}

/** Makes the plugin. Throws what `create` throws. */
export function make<D extends PluginDefinition>(subject: Subject<D>, changes: Changes = {}): Made {
  const { definition, deadlineMs, lines } = subject;
  const options = changes.options ?? subject.options();
  if (definition.kind === "input") return madeInput(subject, definition, options, changes);
  if (definition.kind === "filter") return madeFilter(subject, definition, options, changes);
  if (definition.kind === "output") return madeOutput(subject, definition, options);
  const test = testParser(definition, options);
  return {
    pendingTimers: 0,
    close: () => closePlugin(test.parser as object, definition.name, deadlineMs),
    work: async () => lines.forEach((line) => void test.parse(line)),
  };
}

function madeInput(
  { settings, deadlineMs }: Subject,
  definition: InputDefinition,
  options: Options,
  { onEmit }: Changes,
): Made {
  const { input, bench, run } = prepareInput(definition, options, { ...settings, onEmit });
  return made(input, bench.clock, definition.name, deadlineMs, async () => {
    const stopping = new AbortController();
    const running = run(stopping.signal);
    running.catch(() => undefined);
    await pass(bench.clock);
    stopping.abort();
    await running;
  });
}

function madeFilter(
  { settings, records, deadlineMs }: Subject,
  definition: FilterDefinition,
  options: Options,
  { onEmit }: Changes,
): Made {
  const test = testFilter(definition, options, { ...settings, onEmit });
  return made(test.filter, test.clock, definition.name, deadlineMs, async () => {
    await test.feed(records);
    await pass(test.clock);
    await test.flush();
  });
}

function madeOutput(
  { settings, records, deadlineMs }: Subject,
  definition: OutputDefinition,
  options: Options,
): Made {
  const test = testOutput(definition, options, settings);
  return made(test.output, test.clock, definition.name, deadlineMs, async () => {
    const giveUp = new AbortController();
    const late = setTimeout(() => giveUp.abort(), deadlineMs / 4);
    try {
      await test.write(records, { signal: giveUp.signal });
    } finally {
      clearTimeout(late);
    }
  });
}

function made(
  plugin: object,
  clock: FakeClock,
  name: string,
  deadlineMs: number,
  work: () => Promise<void>,
): Made {
  return {
    get pendingTimers() {
      return clock.pending;
    },
    work: () => inTime(work(), `${name}: its work ends`, deadlineMs),
    close: () => closePlugin(plugin, name, deadlineMs),
  };
}

/** Lets a minute of the plugin's time pass, and a moment of real time. */
export async function pass(clock: FakeClock): Promise<void> {
  for (let i = 0; i < 6; i++) {
    // What a timer of the plugin's throws is nobody's to catch; the next may still be due.
    await clock.advance("10s").catch(() => undefined);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
