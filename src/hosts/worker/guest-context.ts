import { systemClock } from "../../lib/clock.ts";
import type {
  FilterContext,
  InputContext,
  LogFields,
  Logger,
  OutputContext,
  PluginContext,
} from "../../sdk/context.ts";
import { ConfigError } from "../../sdk/errors.ts";
import type { LogRecord } from "../../sdk/record.ts";
import { toErrorMessage } from "./error-message.ts";
import type { GuestEmits } from "./guest-emits.ts";
import type { GuestMetrics } from "./guest-metrics.ts";
import type { GuestOutbox } from "./guest-outbox.ts";
import type { Assignment } from "./messages.ts";

/** What the contexts of a worker are made of. */
export interface GuestParts {
  readonly assignment: Assignment;
  readonly outbox: GuestOutbox;
  readonly emits: GuestEmits;
  readonly metrics: GuestMetrics;
}

/** An input that breathes lets messages from the host have a turn after so much time. */
const BREATH_MS = 1;

export function inputContext(parts: GuestParts): InputContext {
  const { outbox, emits, assignment } = parts;
  let breathMs = 0;
  const breath = async (): Promise<void> => {
    await new Promise((resolve) => setImmediate(resolve));
    breathMs = systemClock.nowMs();
  };
  return {
    ...baseContext(parts),
    tag: assignment.tag ?? "",
    emit: (batch, ack) => emits.emit(batch, ack),
    checkpoints() {
      throw new ConfigError(
        "positions cannot be kept with isolation: worker; take isolation away for this plugin",
      );
    },
    breathe: () => systemClock.nowMs() - breathMs < BREATH_MS ? undefined : breath(),
    stopWhenDone: () => outbox.push({ type: "stopWhenDone" }),
    exitCode: (status) => outbox.push({ type: "stop", status }),
  };
}

export function filterContext(parts: GuestParts): FilterContext {
  const { outbox, emits, assignment } = parts;
  let holds = 0;
  return {
    ...baseContext(parts),
    onError: assignment.onError,
    emit: (batch, ack) => emits.emit(batch, ack),
    hold() {
      const { call } = outbox;
      if (call === 0) throw new Error("Cannot hold a batch: hold() is only valid in process()");
      const hold = ++holds;
      let held = true;
      outbox.push({ type: "hold", hold, call });
      return () => {
        if (held) outbox.push({ type: "release", hold });
        held = false;
      };
    },
    reject(record: LogRecord, error: unknown) {
      outbox.push({ type: "reject", record: passable(record), error: toErrorMessage(error) });
      return assignment.onError === "pass" ? record : null;
    },
    stop: (status) => outbox.push({ type: "stop", status }),
  };
}

export function outputContext(parts: GuestParts): OutputContext {
  return { ...baseContext(parts), match: parts.assignment.match ?? "" };
}

/** The record; without its body when that holds what cannot be passed to another thread. */
function passable(record: LogRecord): LogRecord {
  try {
    return structuredClone(record);
  } catch {
    return { sec: record.sec, nsec: record.nsec, body: {} };
  }
}

function baseContext({ assignment, outbox, metrics }: GuestParts): PluginContext {
  const { id, kind, name } = assignment;
  const refuse = (what: string): never => {
    throw new ConfigError(
      `${kind} "${name}" asks for ${what}, which a plugin with "isolation: worker" cannot have: ` +
        'use "isolation: inline"',
    );
  };
  return {
    id,
    log: logger(outbox),
    metrics,
    clock: systemClock,
    parser: (parser) => refuse(`the parser "${parser}"`),
    multiline: (names) => refuse(`the multiline parser "${names.join(", ")}"`),
  };
}

function logger(outbox: GuestOutbox): Logger {
  const say = (level: keyof Logger) => (message: string, fields?: LogFields) =>
    outbox.push({ type: "log", level, message: String(message), fields: plainFields(fields) });
  return { error: say("error"), warn: say("warn"), info: say("info"), debug: say("debug") };
}

/** What cannot be passed to another thread, such as a function, becomes text. */
function plainFields(fields: LogFields | undefined): LogFields | undefined {
  if (fields === undefined) return undefined;
  return Object.fromEntries(
    Object.entries(fields).map(([key, value]) => [
      key,
      ["string", "number", "boolean", "undefined"].includes(typeof value) ? value : String(value),
    ]),
  );
}
