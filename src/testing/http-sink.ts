import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { gunzipSync, zstdDecompressSync } from "node:zlib";
import type { AddressInfo } from "node:net";
import type { Body } from "../sdk/record.ts";
import { until } from "./deadline.ts";
import { recordsInText } from "./records-in-text.ts";

/** A request that came whole. */
export interface SinkRequest {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  /** Names are in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** The body as it came. */
  readonly bytes: Uint8Array;
  /** The body as text, decompressed if it was compressed with gzip or zstd. */
  readonly text: string;
}

/** What the server answers. A body that is neither text nor bytes is sent as JSON. */
export interface SinkAnswer {
  /** 200 by default. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

/** What the server does instead of its usual answer. */
export type SinkFault =
  | { readonly kind: "answer"; readonly answer: SinkAnswer }
  | { readonly kind: "hang" | "reset" | "cut" }
  | { readonly kind: "slow"; readonly ms: number };

export interface FailOptions {
  /** 503 by default. */
  readonly status?: number;
  /** Seconds, or a date, for the header `Retry-After`. */
  readonly retryAfter?: number | string;
  readonly body?: unknown;
  /** How many requests fail; all from now on by default. */
  readonly times?: number;
}

const MAX_BODY_BYTES = 64 * 1024 * 1024;
const MAX_REQUESTS = 100_000;

/**
 * An HTTP server on loopback that keeps what comes and fails as a test wants it to: a destination for an output, or
 * with {@link HttpSink.respond} a source for an input.
 *
 * ```ts
 * await using sink = await HttpSink.listen();
 * sink.fail({ status: 429, retryAfter: 2, times: 1 });
 * // … the output delivers to sink.url …
 * expect(sink.records).toEqual([{ message: "hi" }]);
 * ```
 */
export class HttpSink implements AsyncDisposable {
  /** The port, chosen by the system. */
  port = 0;
  /** The requests that were answered with a status from 200 to 299. */
  readonly accepted: SinkRequest[] = [];
  /** All requests, those that failed too. */
  readonly requests: SinkRequest[] = [];
  private server: Server | undefined;
  private faults: { readonly fault: SinkFault; left: number }[] = [];
  private handler: (request: SinkRequest) => SinkAnswer | Promise<SinkAnswer> = () => ({});

  private constructor() {}

  /** Starts a server on a free port. */
  static async listen(): Promise<HttpSink> {
    const sink = new HttpSink();
    await sink.bringBack();
    return sink;
  }

  /** `http://127.0.0.1:PORT`, without a slash at the end. */
  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** The address that it listens on. */
  readonly host = "127.0.0.1";

  /** The records of all accepted requests: of JSON lines, a JSON array or one JSON object. */
  get records(): Body[] {
    return this.accepted.flatMap(({ text }) => recordsInText(text));
  }

  /** Answers with what the function gives, as a source of records does. */
  respond(handler: (request: SinkRequest) => SinkAnswer | Promise<SinkAnswer>): void {
    this.handler = handler;
  }

  /** Requests get a status that says no. Faults are used up in the order in which they were asked for. */
  fail({ status = 503, retryAfter, body, times }: FailOptions = {}): void {
    const headers = retryAfter === undefined ? {} : { "retry-after": String(retryAfter) };
    this.add({ kind: "answer", answer: { status, headers, body } }, times);
  }

  /** Requests get no answer at all; the connection stays open. */
  hang(times?: number): void {
    this.add({ kind: "hang" }, times);
  }

  /** The connection is closed instead of an answer. */
  reset(times?: number): void {
    this.add({ kind: "reset" }, times);
  }

  /** The connection is closed in the middle of the answer; the records were not taken. */
  cut(times?: number): void {
    this.add({ kind: "cut" }, times);
  }

  /** The usual answer comes after so many milliseconds of real time. */
  slow(ms: number, times?: number): void {
    this.add({ kind: "slow", ms }, times);
  }

  /** No more faults. */
  recover(): void {
    this.faults = [];
  }

  /** Nobody listens any more: connections are refused, and those that exist are closed. */
  async takeAway(): Promise<void> {
    const { server } = this;
    this.server = undefined;
    if (server === undefined) return;
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
  }

  /** Listens again, under the same address. */
  async bringBack(): Promise<void> {
    if (this.server !== undefined) return;
    const server = createServer((request, response) => void this.take(request, response));
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(this.port, this.host, resolve);
    });
    this.port = (server.address() as AddressInfo).port;
    this.server = server;
  }

  /** Waits until so many requests came in all, answered or not. */
  async untilRequests(count: number, deadlineMs?: number): Promise<readonly SinkRequest[]> {
    const what = () => `${count} requests; there are ${this.requests.length}`;
    await until(() => this.requests.length >= count, what, deadlineMs);
    return this.requests;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.takeAway();
  }

  private add(fault: SinkFault, times = Infinity): void {
    this.faults.push({ fault, left: times });
  }

  private nextFault(): SinkFault | undefined {
    const next = this.faults.find(({ left }) => left > 0);
    if (next === undefined) return undefined;
    next.left--;
    return next.fault;
  }

  private async take(message: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const request = await readRequest(message);
      if (this.requests.length < MAX_REQUESTS) this.requests.push(request);
      const fault = this.nextFault();
      if (fault?.kind === "hang") return;
      if (fault?.kind === "reset") return void message.socket.destroy();
      if (fault?.kind === "cut") return cutAnswer(message, response);
      if (fault?.kind === "slow") await new Promise((resolve) => setTimeout(resolve, fault.ms));
      const answer = fault?.kind === "answer" ? fault.answer : await this.handler(request);
      const { status = 200 } = answer;
      if (status >= 200 && status < 300) this.accepted.push(request);
      send(response, status, answer);
    } catch (error) {
      send(response, 500, { body: String(error) });
    }
  }
}

async function readRequest(message: IncomingMessage): Promise<SinkRequest> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of message) {
    length += (chunk as Uint8Array).length;
    if (length > MAX_BODY_BYTES) throw new Error(`the body is larger than ${MAX_BODY_BYTES} bytes`);
    chunks.push(chunk as Uint8Array);
  }
  const headers = Object.fromEntries(
    Object.entries(message.headers).map(([name, value]) => [name, [value].flat().join(", ")]),
  );
  const bytes = Buffer.concat(chunks);
  const { method = "", url: path = "" } = message;
  return { method, path, headers, bytes, text: decompress(bytes, headers).toString("utf8") };
}

function decompress(bytes: Buffer, headers: Readonly<Record<string, string>>): Buffer {
  const options = { maxOutputLength: MAX_BODY_BYTES };
  const encoding = headers["content-encoding"];
  if (encoding === "gzip") return gunzipSync(bytes, options);
  return encoding === "zstd" ? zstdDecompressSync(bytes, options) : bytes;
}

function send(
  response: ServerResponse,
  status: number,
  { headers = {}, body = "" }: SinkAnswer,
): void {
  const plain = typeof body === "string" || body instanceof Uint8Array;
  response.writeHead(status, plain ? headers : { "content-type": "application/json", ...headers });
  response.end(plain ? body : JSON.stringify(body));
}

function cutAnswer(message: IncomingMessage, response: ServerResponse): void {
  response.writeHead(200, { "content-length": "1000" });
  response.write("{", () => message.socket.destroy());
}
