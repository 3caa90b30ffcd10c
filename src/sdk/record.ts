/** A value inside a record's body. Integers beyond 2^53 are `bigint`, so that identifiers survive. */
export type FieldValue =
  | string
  | number
  | bigint
  | boolean
  | null
  | Uint8Array
  | FieldValue[]
  | Body;

/** The fields of one log event. Insertion order is kept on the way to an output. */
export interface Body {
  [key: string]: FieldValue;
}

/** One log event. */
export interface LogRecord {
  /** Seconds since the Unix epoch, a whole number. */
  sec: number;
  /** Nanoseconds within the second, 0 to 999,999,999. */
  nsec: number;
  /** The event's fields. A filter may change them in place: it owns the batch while it has it. */
  body: Body;
  /** Facts about the event that are not part of it (Fluent Bit's event metadata). */
  metadata?: Body | undefined;
}

/** True for a nested map, as opposed to a scalar, an array or binary data. */
export function isBody(value: FieldValue | undefined): value is Body {
  return typeof value === "object" && value !== null && !Array.isArray(value) &&
    !(value instanceof Uint8Array);
}

/**
 * Sets a field whose name came from data. The name `__proto__` becomes an ordinary field, as JSON.parse
 * makes it, instead of the object's prototype.
 */
export function setField(body: Body, key: string, value: FieldValue): void {
  if (key === "__proto__") {
    Object.defineProperty(body, key, {
      value,
      enumerable: true,
      configurable: true,
      writable: true,
    });
  } else {
    body[key] = value;
  }
}

/** A copy that shares nothing that could be changed with the value. */
export function cloneValue<T extends FieldValue>(value: T): T;
export function cloneValue(value: FieldValue): FieldValue {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(cloneValue);
  if (value instanceof Uint8Array) return value.slice();
  const copy: Body = {};
  for (const key in value) setField(copy, key, cloneValue(value[key]!));
  return copy;
}
