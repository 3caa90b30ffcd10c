import type { LogFields } from "../../sdk/context.ts";
import type { RefusedPart } from "../../sdk/errors.ts";
import type { WrittenOption } from "../../sdk/option-order.ts";
import type { PluginKind } from "../../sdk/registry.ts";
import type { LogRecord } from "../../sdk/record.ts";
import type { BatchMessage } from "./batch-message.ts";
import type { ErrorMessage } from "./error-message.ts";

// What the main thread (the host) and the worker's thread (the guest) say to each other.

/** What a guest is to run. */
export interface Assignment {
  readonly path: string;
  readonly kind: PluginKind;
  readonly name: string;
  /** The options as they were written; the plugin's own schema reads them again. */
  readonly options: Readonly<Record<string, unknown>>;
  readonly order: readonly WrittenOption[];
  readonly id: string;
  /** An input's tag. */
  readonly tag?: string | undefined;
  /** An output's match. */
  readonly match?: string | undefined;
  /** A filter's `on_error`. */
  readonly onError?: "reject" | "pass" | "drop" | undefined;
  /** Above it the guest collects garbage before it says how much memory it uses, in bytes. */
  readonly memoryLimitBytes: number;
}

/** Records of an output on their way. What the bytes are is told where they are written, in delivery-text.ts. */
export interface Delivery {
  readonly bytes: Uint8Array;
  readonly tag: string;
  readonly attempt: number;
}

/** What is asked of the plugin: the name of the call and what it is given. */
export type Request =
  | { readonly method: "process"; readonly batch: BatchMessage }
  | { readonly method: "flush" }
  | { readonly method: "run" }
  | { readonly method: "write"; readonly delivery: Delivery }
  | { readonly method: "close" }
  | { readonly method: "ping" };

/** What a call gives back. */
export interface ResultOf {
  process: ProcessResult;
  flush: readonly BatchMessage[];
  run: undefined;
  write: WriteResult | undefined;
  close: undefined;
  ping: undefined;
}
export type Method = Request["method"];

/** `unchanged`: the batch that was given, of which nobody asked for the records. */
export type ProcessResult =
  | { readonly unchanged: true }
  | { readonly batch: BatchMessage }
  | { readonly batches: readonly BatchMessage[] };

/** A delivery of which not all was delivered. */
export interface WriteResult {
  /** What is left, for the next attempt: a delivery that is encoded already. Empty when nothing is. */
  readonly remaining: Uint8Array;
  /** Records that are left. */
  readonly records: number;
  /** Records that are given up, by reason. */
  readonly dropped: Readonly<Record<string, number>>;
  /** Those of them that were refused, as deliveries that are encoded already. */
  readonly refusedParts: readonly RefusedPart[];
  /** What the output said. */
  readonly error: ErrorMessage | undefined;
}

export type ToGuest =
  | { readonly type: "start"; readonly assignment: Assignment }
  | { readonly type: "call"; readonly call: number; readonly request: Request }
  | { readonly type: "abort"; readonly call: number }
  /** There is room for the batch after this one. */
  | { readonly type: "taken"; readonly emit: number }
  /** The batch is safe at every destination. */
  | { readonly type: "acked"; readonly emit: number };

/** What a plugin did through its context. */
export type GuestEvent =
  | {
    readonly type: "log";
    readonly level: "error" | "warn" | "info" | "debug";
    readonly message: string;
    readonly fields: LogFields | undefined;
  }
  | {
    readonly type: "metric";
    readonly kind: "counter" | "gauge";
    readonly name: string;
    readonly help: string;
    readonly labels: Readonly<Record<string, string>>;
    /** What a counter grew by, or where a gauge stands. */
    readonly value: number;
  }
  | {
    readonly type: "unmetric";
    readonly name: string;
    readonly labels: Readonly<Record<string, string>>;
  }
  | {
    readonly type: "emit";
    readonly emit: number;
    readonly batch: BatchMessage;
    readonly acked: boolean;
    /** The call in which it was emitted, 0 when in none. */
    readonly call: number;
  }
  | { readonly type: "hold"; readonly hold: number; readonly call: number }
  | { readonly type: "release"; readonly hold: number }
  | { readonly type: "reject"; readonly record: LogRecord; readonly error: ErrorMessage }
  | { readonly type: "stop"; readonly status: number }
  | { readonly type: "stopWhenDone" };

export type FromGuest =
  | { readonly type: "ready"; readonly memory: number }
  | { readonly type: "failed"; readonly error: ErrorMessage }
  | { readonly type: "events"; readonly events: readonly GuestEvent[] }
  | {
    readonly type: "answer";
    readonly call: number;
    readonly events: readonly GuestEvent[];
    readonly result?: unknown;
    readonly error?: ErrorMessage;
    /** Bytes on the guest's heap and behind it. */
    readonly memory: number;
  }
  /** Something was thrown that nothing caught: the guest ends. */
  | { readonly type: "fault"; readonly error: ErrorMessage };
