import { ConfigError } from "../../sdk/errors.ts";
import type { PluginDefinition } from "../../sdk/define.ts";
import { DeadlineError } from "../deadline.ts";
import { readOptions, takesUnknownOptions } from "../options.ts";
import { CONTEXT_CALLS, withCall } from "./break-call.ts";
import { make } from "./made.ts";
import { type Checks, demand, messageOf, type Subject } from "./subject.ts";
import { timersLeftBy } from "./track-timers.ts";

/** What every plugin must get right, whatever its kind. */
export function commonChecks(subject: Subject): Checks {
  return {
    "says what it is and describes its options": async () => describesItself(subject.definition),
    "works with the options it is checked with": async () => {
      const plugin = make(subject);
      await plugin.close();
    },
    "takes its options as text": () => takesText(subject),
    "works without options, or says which it needs": () => worksWithoutOptions(subject),
    "refuses an option that it does not have": async () => refusesUnknownOption(subject),
    "can be closed unused": async () => {
      await make(subject).close();
    },
    "can be closed twice": async () => {
      const plugin = make(subject);
      await plugin.work().catch(onlyDeadlines);
      await plugin.close();
      await plugin.close();
    },
    "leaves no timer behind after close": () => leavesNoTimers(subject),
    ...Object.fromEntries(CONTEXT_CALLS[subject.definition.kind].map((call) => [
      `comes to an end when ${call}() throws`,
      () => survivesThrow(subject, call),
    ])),
  };
}

/** An error is an answer too; only what hangs is none. */
export function onlyDeadlines(error: unknown): void {
  if (error instanceof DeadlineError) throw error;
}

function describesItself({ name, summary, config }: PluginDefinition): void {
  demand(
    /^[a-z][a-z0-9_]*$/.test(name),
    `its name is "${name}": use lower-case letters, digits and _`,
  );
  demand(summary.trim() !== "", "it has no summary: say in one sentence what it does");
  for (const [option, schema] of Object.entries(config.shape)) {
    demand(option === option.toLowerCase(), `option "${option}" is not in lower case`);
    const described = descriptionOf(schema as Describable);
    demand(described !== "", `option "${option}" has no description: add .describe("…")`);
  }
}

interface Describable {
  readonly description?: string | undefined;
  readonly def: { readonly innerType?: Describable };
}

function descriptionOf({ description, def }: Describable): string {
  return description ?? (def.innerType === undefined ? "" : descriptionOf(def.innerType));
}

async function takesText(subject: Subject): Promise<void> {
  const asText = (value: unknown): unknown =>
    Array.isArray(value)
      ? value.map(asText)
      : typeof value === "number" || typeof value === "boolean"
      ? String(value)
      : value;
  const options = Object.fromEntries(
    Object.entries(subject.options()).map(([name, value]) => [name, asText(value)]),
  );
  await make(subject, { options }).close();
}

async function worksWithoutOptions(subject: Subject): Promise<void> {
  try {
    await make(subject, { options: {} }).close();
  } catch (error) {
    demand(
      error instanceof ConfigError,
      `without options it throws ${messageOf(error)}: throw a ConfigError that names the option`,
    );
  }
}

function refusesUnknownOption({ definition, options }: Subject): void {
  if (takesUnknownOptions(definition.config)) return;
  const unknown = "no_such_option";
  try {
    readOptions(definition, { ...options(), [unknown]: "x" });
  } catch (error) {
    demand(
      messageOf(error).includes(unknown),
      `the message about an unknown option does not name it: ${messageOf(error)}`,
    );
    return;
  }
  throw new Error(`it takes the option "${unknown}", which it does not have`);
}

async function leavesNoTimers(subject: Subject): Promise<void> {
  let pending = 0;
  const left = await timersLeftBy(async () => {
    const plugin = make(subject);
    await plugin.work().catch(onlyDeadlines);
    await plugin.close();
    pending = plugin.pendingTimers;
  });
  demand(
    left.length === 0,
    `after close() a timer is still to come and keeps the process alive: ${left.join(", ")}`,
  );
  demand(
    pending === 0,
    `after close() it still waits for ctx.clock: cancel what after() returned, pass the signal to sleep()`,
  );
}

async function survivesThrow(subject: Subject, call: string): Promise<void> {
  const definition = withCall(subject.definition, call, () => {
    throw new Error(`${call} fails`);
  });
  let plugin: ReturnType<typeof make>;
  try {
    plugin = make({ ...subject, definition });
  } catch {
    return;
  }
  await plugin.work().catch(onlyDeadlines);
  await plugin.close().catch(onlyDeadlines);
}
