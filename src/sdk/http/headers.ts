/** Headers of one request; a list for one that is sent several times. */
export type HttpRequestHeaders = Record<string, string | string[]>;

/** Headers in the order in which they are sent. */
export type HttpHeaders = readonly (readonly [name: string, value: string])[];

const NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
// deno-lint-ignore no-control-regex
const CONTROL = /[\0-\x08\x0a-\x1f\x7f]/g;

/** Requests say these once, and what a user gives replaces ours. */
const ONCE = new Set([
  "content-type",
  "content-encoding",
  "user-agent",
  "authorization",
  "host",
]);

/** These belong to the connection: a record or an option that sets one would break the request apart. */
const NEVER =
  /^(content-length|transfer-encoding|connection|keep-alive|upgrade|te|trailer|expect)$/i;

/** True for a name that may be sent. */
export function isHeaderName(name: string): boolean {
  return NAME.test(name) && !NEVER.test(name);
}

/** A value as it may be sent: UTF-8, and nothing that could begin another header. */
export function headerValue(text: string): string {
  // Node writes headers as Latin-1, byte for byte.
  return Buffer.from(text.replace(CONTROL, " ").trim(), "utf8").toString("latin1");
}

/** Several lists as one, as `http.request` takes it. A later header replaces an earlier one that may stand only once. */
export function mergeHeaders(
  lists: readonly HttpHeaders[],
  allowDuplicates: boolean,
): HttpRequestHeaders {
  const merged = new Map<string, { name: string; values: string[] }>();
  for (const [name, text] of lists.flat()) {
    const key = name.toLowerCase();
    const value = headerValue(text);
    const found = merged.get(key);
    if (found === undefined || !allowDuplicates || ONCE.has(key)) {
      merged.set(key, { name, values: [value] });
    } else found.values.push(value);
  }
  const headers: Record<string, string | string[]> = {};
  for (const { name, values } of merged.values()) {
    headers[name] = values.length === 1 ? values[0]! : values;
  }
  return headers;
}
