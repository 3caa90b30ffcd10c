const SIMPLE: Readonly<Record<string, string>> = {
  n: "\n",
  t: "\t",
  r: "\r",
  b: "\b",
  f: "\f",
  v: "\v",
  a: "\x07",
};
const REPLACEMENT = "\ufffd";

// A high surrogate takes the escape behind it along; hex and octal forms are as long as C reads them.
const ESCAPE =
  /\\(u[dD][89abAB][0-9a-fA-F]{2}\\u[0-9a-fA-F]{0,4}|u[0-9a-fA-F]{1,4}|U[0-9a-fA-F]{1,8}|x[0-9a-fA-F]{1,2}|[0-7]{1,3}|[^])/g;

/**
 * Resolves backslash escapes as JSON and C write them: `\n`, `\"`, `\u00e9`, surrogate pairs, `\x41`, octal.
 * An escape that means nothing loses its backslash. Fluent Bit calls this `escaped_utf8`.
 */
export function unescapeUtf8(text: string): string {
  if (!text.includes("\\")) return text;
  return text.replace(ESCAPE, (_, escape: string) => resolve(escape));
}

function resolve(escape: string): string {
  const kind = escape[0]!;
  if (escape.length === 1) {
    return SIMPLE[kind] ?? (isOctal(kind) ? String.fromCharCode(Number(kind)) : escape);
  }
  if (kind === "u") return resolveUnicode(escape.slice(1));
  if (kind === "U") {
    const code = parseInt(escape.slice(1), 16);
    return code <= 0x10ffff ? String.fromCodePoint(code) : REPLACEMENT;
  }
  if (kind === "x") return String.fromCharCode(parseInt(escape.slice(1), 16));
  if (isOctal(kind)) return String.fromCharCode(parseInt(escape, 8));
  return escape;
}

function resolveUnicode(digits: string): string {
  if (digits.length < 4) return REPLACEMENT;
  const high = parseInt(digits.slice(0, 4), 16);
  if (high < 0xd800 || high > 0xdfff) return String.fromCharCode(high);
  const low = parseInt(digits.slice(6), 16);
  const isPair = digits.length === 10 && low >= 0xdc00 && low <= 0xdfff;
  return isPair ? String.fromCharCode(high, low) : REPLACEMENT;
}

function isOctal(c: string): boolean {
  return c >= "0" && c <= "7";
}

/** Resolves the one-letter C escapes and drops the backslash before anything else: Fluent Bit's `escaped`. */
export function unescapeSimple(text: string): string {
  if (!text.includes("\\")) return text;
  return text.replace(/\\([^]?)/g, (_, c: string) => c === "\\" ? c : SIMPLE[c] ?? c);
}

const MYSQL: Readonly<Record<string, string>> = {
  n: "\n",
  r: "\r",
  t: "\t",
  "\\": "\\",
  "'": "'",
  '"': '"',
  "0": "\0",
  Z: "\x1a",
};

/** Takes the quotes off a MySQL string literal and resolves its escapes; other text stays as it is. */
export function unquoteMysql(text: string): string {
  const quote = text[0];
  if (text.length < 2 || (quote !== "'" && quote !== '"') || !text.endsWith(quote)) return text;
  return text.slice(1, -1).replace(/\\([^])/g, (whole, c: string) => MYSQL[c] ?? whole);
}
