import { ConfigError, PermanentError, ThrottledError } from "../../sdk/errors.ts";

/** An error on its way between two threads, with what its class means to the engine. */
export interface ErrorMessage {
  readonly kind: "config" | "permanent" | "throttled" | "other";
  readonly message: string;
  readonly stack?: string | undefined;
  readonly option?: string | undefined;
  readonly retryAfterMs?: number | undefined;
}

const MAX_TEXT = 16 * 1024;

export function toErrorMessage(error: unknown): ErrorMessage {
  if (!(error instanceof Error)) return { kind: "other", message: cut(String(error)) };
  const { stack, message } = error;
  const base = {
    message: cut(message),
    ...(typeof stack === "string" && { stack: cut(stack) }),
  };
  if (error instanceof ConfigError) return { ...base, kind: "config", option: error.option };
  if (error instanceof PermanentError) return { ...base, kind: "permanent" };
  if (error instanceof ThrottledError) {
    return { ...base, kind: "throttled", retryAfterMs: error.retryAfterMs };
  }
  return { ...base, kind: "other" };
}

/** An error of the same class, with the stack of the first, so that its place is found. */
export function fromErrorMessage(from: ErrorMessage): Error {
  const error = make(from);
  if (from.stack !== undefined) error.stack = from.stack;
  return error;
}

function make({ kind, message, option, retryAfterMs }: ErrorMessage): Error {
  switch (kind) {
    case "config":
      return new ConfigError(message, option);
    case "permanent":
      return new PermanentError(message);
    case "throttled":
      return new ThrottledError(message, retryAfterMs ?? 0);
    case "other":
      return new Error(message);
  }
}

/** What is longer is of no use to who reads it. */
export function cut(text: string): string {
  return text.length <= MAX_TEXT ? text : text.slice(0, MAX_TEXT);
}
