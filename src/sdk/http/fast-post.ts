import type { HttpClientConfig } from "./client-config.ts";
import type { HttpRequestHeaders } from "./headers.ts";
import { READ } from "./read-response.ts";
import type { HttpResponse } from "./response.ts";

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
  /** How much of the answer's body to keep, in bytes. */
  readonly keep: number;
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
      ...await beginningOf(response, request.keep, onPart),
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
async function beginningOf(
  response: Response,
  keep: number,
  onPart: () => void,
): Promise<Pick<HttpResponse, "body" | "isWhole">> {
  if (response.body === null || response.headers.get("content-length") === "0") {
    return { body: "", isWhole: true };
  }
  const parts: Uint8Array[] = [];
  let read = 0;
  onPart();
  for await (const part of response.body) {
    onPart();
    if (read < keep) parts.push(part.subarray(0, keep - read));
    read += part.length;
    if (read > Math.max(READ, keep)) break;
  }
  return { body: Buffer.concat(parts).toString("utf8"), isWhole: read <= keep };
}
