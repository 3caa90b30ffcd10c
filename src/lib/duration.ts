const UNITS_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  sec: 1000,
  m: 60_000,
  min: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/**
 * Reads a duration into milliseconds: `500ms`, `5s`, `1.5s`, `2h`, `1d`. A bare number counts in
 * `bareUnit`. Throws RangeError for anything else.
 */
export function parseDuration(value: string | number, bareUnit: "s" | "ms" = "s"): number {
  const text = String(value).trim();
  const match = /^(\d+(?:\.\d+)?|\.\d+)\s*([a-z]*)$/i.exec(text);
  const unit = match ? UNITS_MS[match[2]!.toLowerCase() || bareUnit] : undefined;
  if (!match || unit === undefined) {
    throw new RangeError(
      `expected a time such as 5, 5s, 500ms or 2h, got ${JSON.stringify(value)}`,
    );
  }
  const ms = Number(match[1]) * unit;
  if (ms > Number.MAX_SAFE_INTEGER) throw new RangeError(`time is too long: ${text}`);
  return ms;
}
