const UNITS: Readonly<Record<string, number>> = {
  "": 1,
  b: 1,
  k: 1e3,
  kb: 1e3,
  m: 1e6,
  mb: 1e6,
  g: 1e9,
  gb: 1e9,
  kib: 1024,
  mib: 1024 ** 2,
  gib: 1024 ** 3,
};

/**
 * Reads a size in bytes: `5M` and `5MB` are decimal, `5MiB` is binary, a bare number is bytes, and
 * `false` is 0, as Fluent Bit has it. Throws RangeError for anything else.
 */
export function parseByteSize(value: string | number | boolean): number {
  if (value === false) return 0;
  const text = String(value).trim();
  if (/^(false|off|no)$/i.test(text)) return 0;
  const match = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i.exec(text);
  const unit = match ? UNITS[match[2]!.toLowerCase()] : undefined;
  if (!match || unit === undefined) {
    throw new RangeError(
      `expected a size such as 512, 32K, 5M or 5MiB, got ${JSON.stringify(value)}`,
    );
  }
  const bytes = Math.floor(Number(match[1]) * unit);
  if (!Number.isSafeInteger(bytes)) throw new RangeError(`size is too large: ${text}`);
  return bytes;
}
