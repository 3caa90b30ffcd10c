// The class of an error that an output throws states what happens next. Any error that is none of these is
// taken as passing: the engine tries again, with growing pauses.

/** The destination refuses this payload for good: trying again cannot help. It is dropped, counted and logged. */
export class PermanentError extends Error {
  override readonly name = "PermanentError";
}

/** The destination asks to slow down. */
export class ThrottledError extends Error {
  override readonly name = "ThrottledError";
  /** How long to wait before the next attempt, in milliseconds; what is not above 0 takes the engine's own pause. */
  readonly retryAfterMs: number;

  constructor(message: string, retryAfterMs: number, options?: ErrorOptions) {
    super(message, options);
    this.retryAfterMs = retryAfterMs;
  }
}

/** Records that were refused, as a payload of their own: what is kept of them if dead letters are. */
export interface RefusedPart {
  readonly bytes: Uint8Array;
  readonly records: number;
  /** Why these were refused, when that is not what the error says. */
  readonly message?: string;
}

export interface PartialErrorOptions extends ErrorOptions {
  /** The refused records, as far as they can be sent again as they are. The memory must not be used again. */
  readonly refusedParts?: readonly RefusedPart[] | undefined;
}

/** Some of a payload was taken: only `remaining` is sent again. */
export class PartialError extends Error {
  override readonly name = "PartialError";
  /** The bytes of the records to send again, in the output's own wire format. */
  readonly remaining: Uint8Array;
  /** How many records `remaining` holds. */
  readonly records: number;
  /** How many records were refused for good and must not be sent again. */
  readonly refused: number;
  readonly refusedParts: readonly RefusedPart[];

  constructor(
    message: string,
    remaining: Uint8Array,
    records: number,
    refused = 0,
    options?: PartialErrorOptions,
  ) {
    super(message, options);
    this.refusedParts = options?.refusedParts ?? [];
    this.remaining = remaining;
    this.records = records;
    this.refused = refused;
  }
}

/**
 * A plugin's options are each valid but do not make sense together, or name something that is not there.
 * Reported like any other mistake in the configuration, before anything starts.
 */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  /** The option that the message is about, if it is about one. */
  readonly option: string | undefined;

  constructor(message: string, option?: string, errorOptions?: ErrorOptions) {
    super(message, errorOptions);
    this.option = option;
  }
}
