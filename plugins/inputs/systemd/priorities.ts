/** The names of syslog's priorities, from the worst. */
export const PRIORITY_NAMES = [
  "emerg",
  "alert",
  "crit",
  "err",
  "warning",
  "notice",
  "info",
  "debug",
] as const;

const ALSO: Readonly<Record<string, number>> = {
  emergency: 0,
  panic: 0,
  critical: 2,
  error: 3,
  warn: 4,
};

/**
 * The priorities that `warning`, `4` or `err..info` stand for: a single one with all that are worse. Throws
 * `RangeError` for anything else.
 */
export function readPriorities(text: string): ReadonlySet<number> {
  const parts = text.split("..");
  if (parts.length > 2) throw notOne(text);
  const numbers = parts.map((part) => numberOf(part.trim().toLowerCase()));
  const [first, last] = numbers.length === 1 ? [0, numbers[0]!] : numbers;
  const [from, to] = [Math.min(first!, last!), Math.max(first!, last!)];
  return new Set(Array.from({ length: to - from + 1 }, (_, i) => from + i));
}

function numberOf(text: string): number {
  if (/^[0-7]$/.test(text)) return Number(text);
  const index = PRIORITY_NAMES.findIndex((name) => name === text);
  const found = index >= 0 ? index : ALSO[text];
  if (found === undefined) throw notOne(text);
  return found;
}

function notOne(text: string): RangeError {
  return new RangeError(
    `expected a priority from 0 to 7, ${PRIORITY_NAMES.join(", ")}, or two with .. between, got ${
      JSON.stringify(text)
    }`,
  );
}
