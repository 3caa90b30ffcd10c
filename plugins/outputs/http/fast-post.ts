import type { HttpConfig } from "./config.ts";
import type { RequestHeaders } from "./headers.ts";
import type { Response } from "./response.ts";

/** What is kept of an answer's body, in bytes, and what is read of it at most. */
const KEPT = 4096;
const READ = 65_536;

/**
 * `fetch` sends a large body for a quarter less CPU time of the whole pipeline than node:http does, but has
 * no time limit of its own for connecting, and cannot say from which address or through which TLS version.
 * So it is used where none of that matters: plain HTTP, to a server that has just answered.
 */
export function canPostFast(config: HttpConfig, hasProxy: boolean): boolean {
  return !config.tls && !hasProxy && !config.ipv6 && config["net.keepalive"] &&
    config["net.source_address"] === undefined &&
    config["net.max_worker_connections"] === 0;
}

export interface FastRequest {
  readonly url: string;
  readonly method: string;
  readonly body: Uint8Array;
  readonly headers: RequestHeaders;
  /** From the start to the end of the answer, in milliseconds; 0 for no limit. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** Sends one request. Rejects as `fetch` does; a time limit rejects with a TimeoutError. */
export async function postFast(request: FastRequest): Promise<Response> {
  const { url, method, body, timeoutMs } = request;
  // Not AbortSignal.timeout(): its timer, and all that hangs on it, would outlive each request by the time limit.
  const limit = new AbortController();
  const onAbort = () => limit.abort(request.signal.reason);
  request.signal.addEventListener("abort", onAbort, { once: true });
  const onLate = () => limit.abort(new DOMException("The operation timed out.", "TimeoutError"));
  const timer = timeoutMs > 0 ? setTimeout(onLate, timeoutMs) : undefined;
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
      body: await beginningOf(response),
    };
  } finally {
    clearTimeout(timer);
    request.signal.removeEventListener("abort", onAbort);
  }
}

async function beginningOf(response: globalThis.Response): Promise<string> {
  const length = Number(response.headers.get("content-length") ?? NaN);
  if (length <= READ) return (await response.text()).slice(0, KEPT);
  if (response.body === null) return "";
  const parts: Uint8Array[] = [];
  let read = 0;
  for await (const part of response.body) {
    if (read < KEPT) parts.push(part.subarray(0, KEPT - read));
    read += part.length;
    if (read > READ) break;
  }
  return Buffer.concat(parts).toString("utf8");
}
