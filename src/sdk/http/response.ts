import { PermanentError, ThrottledError } from "../errors.ts";

/** What is kept of an answer. */
export interface HttpResponse {
  readonly status: number;
  readonly retryAfter: string | undefined;
  readonly location: string | undefined;
  /** The beginning of the body, or all of it. */
  readonly body: string;
  /** Whether all of the body was kept. */
  readonly isWhole: boolean;
}

/** The body is larger than the server takes; a smaller one may be taken. */
export class TooLargeError extends PermanentError {}

const MAX_RETRY_AFTER_MS = 3_600_000;
const MAX_SHOWN = 500;

/** What an answer other than success means for the payload; `undefined` for success. */
export function errorOf(
  response: HttpResponse,
  what: string,
  options: { readonly showBody: boolean; readonly nowMs: number },
): Error | undefined {
  const { status } = response;
  if (status >= 200 && status < 300) return undefined;
  const message = `${what}: status is ${status}${options.showBody ? excerpt(response.body) : ""}`;
  // Following it would send records, and perhaps a password, where nobody said they should go.
  if (status >= 300 && status < 400) {
    return new Error(`${what}: status is ${status}, a redirect${target(response.location)}`);
  }
  if (status >= 400 && status < 500 && status !== 408 && status !== 429) {
    return status === 413 ? new TooLargeError(message) : new PermanentError(message);
  }
  const ms = retryAfterMs(response.retryAfter, options.nowMs);
  return ms === undefined ? new Error(message) : new ThrottledError(message, ms);
}

/** Seconds or a date, as milliseconds from now, an hour at most. */
export function retryAfterMs(header: string | undefined, nowMs: number): number | undefined {
  const text = header?.trim();
  if (text === undefined || text === "") return undefined;
  const ms = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - nowMs;
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(ms, 0), MAX_RETRY_AFTER_MS);
}

/** Where it leads, but only the host: the rest may hold what nobody should read. */
function target(location: string | undefined): string {
  if (location === undefined) return "";
  try {
    return ` to ${new URL(location, "relative://same-host").host}, which is not followed`;
  } catch {
    return "";
  }
}

function excerpt(body: string): string {
  // deno-lint-ignore no-control-regex
  const text = body.replace(/[\0-\x1f\x7f-\x9f\u2028\u2029]+/g, " ").trim();
  if (text === "") return "";
  return `, ${JSON.stringify(text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text)}`;
}
