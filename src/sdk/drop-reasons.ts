/** Numbers of records by the reason for which they are dropped: one word in lower_snake_case. */
export type DropReasons = Readonly<Record<string, number>>;

const reasons = new WeakMap<object, DropReasons>();

/** For hosts of plugins: says why the records are dropped that this error costs. Returns the error. */
export function withDropReasons<E extends Error>(error: E, drops: DropReasons): E {
  reasons.set(error, drops);
  return error;
}

/** The only or first reason that the error was given, else `usual`. */
export function dropReason(error: unknown, usual: string): string {
  return Object.keys(dropReasons(error, 0, usual))[0] ?? usual;
}

/** The reasons that the error was given, else `usual` for all records. */
export function dropReasons(error: unknown, records: number, usual: string): DropReasons {
  const known = typeof error === "object" && error !== null ? reasons.get(error) : undefined;
  return known ?? { [usual]: records };
}

/** The same reasons with so many records less of one of them. */
export function withoutRecords(drops: DropReasons, reason: string, records: number): DropReasons {
  const left = { ...drops, [reason]: (drops[reason] ?? 0) - records };
  return Object.fromEntries(Object.entries(left).filter(([, count]) => count > 0));
}
