import type { HttpClientConfig } from "./client-config.ts";
import type { HttpRequestHeaders } from "./headers.ts";
import type { HttpResponse } from "./response.ts";

/** What is kept of an answer's body, in bytes, and what is read of it at most. */
const KEPT = 4096;
const READ = 65_536;

/**
 * `fetch` sends a large body for a quarter less CPU time of the whole pipeline than node:http does, but has
 * no time limit of its own for connecting, and cannot say from which address or through which TLS version.
 * So it is used where none of that matters: plain HTTP, to a server that has just answered.
 */
export function canPostFast(config: HttpClientConfig, hasProxy: boolean): boolean {
  return !config.tls && !hasProxy && !config.ipv6 && config["net.keepalive"] &&
    config["net.source_address"] === undefined &&
    config["net.max_worker_connections"] === 0;
}

export interface FastRequest {
  readonly url: string;
  readonly method: string;
  readonly body: Uint8Array;
  readonly headers: HttpRequestHeaders;
  /** From the start to the end of the answer, in milliseconds; 0 for no limit. */
  readonly timeoutMs: number;
  /** Between two parts of the answer, in milliseconds; 0 for no limit. */
  readonly idleMs: number;
  readonly signal: AbortSignal;
}

/** A limit of time has passed. */
export class LateError extends Error {}

/** Sends one request. Rejects as `fetch` does, and with a LateError when it takes too long. */
export async function postFast(request: FastRequest): Promise<HttpResponse> {
  const { url, method, body, timeoutMs, idleMs, signal } = request;
  // Not AbortSignal.timeout(): its timer, and all that hangs on it, would outlive each request by the time limit.
  const limit = new AbortController();
  const onAbort = () => limit.abort(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  let late: string | undefined;
  const after = (ms: number, what: string) =>
    setTimeout(() => {
      late = `${what}: over ${ms / 1000} s`;
      limit.abort();
    }, ms);
  const whole = timeoutMs > 0 ? after(timeoutMs, "no answer in time") : undefined;
  let idle: ReturnType<typeof setTimeout> | undefined;
  const onPart = () => {
    clearTimeout(idle);
    if (idleMs > 0) idle = after(idleMs, "the answer stands still");
  };
  try {
    const response = await fetch(url, {
      method,
      body: body as Uint8Array<ArrayBuffer>,
      headers: request.headers as Record<string, string>,
      redirect: "manual",
      decompress: false,
      signal: limit.signal,
    });
    return {
      status: response.status,
      retryAfter: response.headers.get("retry-after") ?? undefined,
      location: response.headers.get("location") ?? undefined,
      body: await beginningOf(response, onPart),
    };
  } catch (error) {
    throw late === undefined ? error : new LateError(late, { cause: error });
  } finally {
    clearTimeout(whole);
    clearTimeout(idle);
    signal.removeEventListener("abort", onAbort);
  }
}

/** `onPart` is called before each part that is waited for. */
async function beginningOf(response: Response, onPart: () => void): Promise<string> {
  if (response.body === null || response.headers.get("content-length") === "0") return "";
  const parts: Uint8Array[] = [];
  let read = 0;
  onPart();
  for await (const part of response.body) {
    onPart();
    if (read < KEPT) parts.push(part.subarray(0, KEPT - read));
    read += part.length;
    if (read > READ) break;
  }
  return Buffer.concat(parts).toString("utf8");
}
