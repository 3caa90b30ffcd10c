import http from "node:http";
import type https from "node:https";
import type { ConnectionOptions } from "node:tls";
import type { Clock } from "../context.ts";
import { tlsOptions } from "../tls-options.ts";
import type { HttpClientConfig } from "./client-config.ts";
import { failureReason } from "../../lib/failure-reason.ts";
import { canPostFast, LateError, postFast } from "./fast-post.ts";
import type { HttpRequestHeaders } from "./headers.ts";
import { type Proxy, proxyFor, unbracket } from "./proxy.ts";
import { KEPT, readResponse } from "./read-response.ts";
import { errorOf, type HttpResponse } from "./response.ts";

/** Loaded when it is wanted: many outputs stay on the host or in its network. */
const secure = () => require("node:https") as typeof import("node:https");

/**
 * Sends requests to one server, over connections that it keeps for a while: as the options `net.*`, `tls.*`, the proxy
 * and the time limits say. What must be said of it in messages is `target`.
 */
export class HttpClient {
  private readonly config: HttpClientConfig;
  private readonly clock: Clock;
  private readonly proxy: Proxy | undefined;
  private readonly server: ConnectionOptions;
  private readonly speaksTls: boolean;
  private readonly base: http.RequestOptions;
  private agent: http.Agent;
  private inFlight = 0;
  private requests = 0;
  private cancelIdle: (() => void) | undefined;
  private readonly fastUrl: string | undefined;
  /** The server has answered a moment ago, so that nothing about the connection is in doubt. */
  private isWarm = false;
  /** Server and path, for messages: without the query, which may hold a token. */
  readonly target: string;

  constructor(
    config: HttpClientConfig,
    clock: Clock,
    env: Readonly<Record<string, string | undefined>> = process.env,
  ) {
    this.config = config;
    this.clock = clock;
    this.proxy = proxyFor(config, env);
    this.server = config.tls ? tlsOptions(config, unbracket(config.host)) : {};
    const path = config.uri.startsWith("/") ? config.uri : `/${config.uri}`;
    const { port, tls } = config;
    const host = unbracket(config.host);
    const name = bracket(host);
    const authority = port === (tls ? 443 : 80) ? name : `${name}:${port}`;
    this.target = `${name}:${port}${path.replace(/\?.*/s, "")}`;
    // Without TLS a proxy gets the whole URL; with TLS it is asked for a tunnel by the agent.
    const forwards = this.proxy !== undefined && !tls;
    this.speaksTls = tls || (forwards && this.proxy!.isTls);
    this.base = {
      method: config.http_method,
      host: forwards ? this.proxy!.host : host,
      port: forwards ? this.proxy!.port : port,
      path: forwards ? `http://${authority}${path}` : path,
      headers: {
        Host: authority,
        ...(forwards && this.proxy!.authorization !== undefined &&
          { "Proxy-Authorization": this.proxy!.authorization }),
      },
      ...(config["net.source_address"] !== undefined &&
        { localAddress: config["net.source_address"] }),
      ...(config.ipv6 && { family: 6 }),
    };
    this.agent = this.makeAgent();
    if (canPostFast(config, this.proxy !== undefined)) {
      this.fastUrl = `http://${authority}${path}`;
    }
  }

  /**
   * Delivers a body. Resolves for an answer of success, and rejects with the error whose class says what is to become
   * of the payload: refused for good, too large, to be tried again, or not before a certain time. Of the answer's body
   * `keep` bytes are kept, a few kilobytes when nobody says.
   */
  async deliver(
    body: Uint8Array,
    headers: HttpRequestHeaders,
    signal: AbortSignal,
    keep: number = KEPT,
  ): Promise<HttpResponse> {
    const what = `Cannot ${this.config.http_method.toLowerCase()} to ${this.target}`;
    const response = await this.request(body, headers, signal, keep).catch((error: Error) => {
      throw new Error(`${what}: ${failureReason(error)}`, { cause: error });
    });
    const error = errorOf(response, what, {
      showBody: this.config.log_response_payload,
      nowMs: this.clock.wall().sec * 1000,
    });
    if (error !== undefined) throw error;
    return response;
  }

  /** Sends a request and resolves with the answer, whatever its status. Rejects when there is none. */
  async request(
    body: Uint8Array,
    headers: HttpRequestHeaders,
    signal: AbortSignal,
    keep: number = KEPT,
  ): Promise<HttpResponse> {
    signal.throwIfAborted();
    this.recycle();
    this.inFlight++;
    this.requests++;
    try {
      const response = await this.fast(body, headers, signal, keep) ??
        await this.once(body, headers, signal, keep);
      this.isWarm = true;
      return response;
    } catch (error) {
      this.isWarm = false;
      // The server may have closed a connection at the moment it was used again: that says nothing about it.
      if (!(error instanceof StaleConnection)) throw error;
      return await this.once(body, headers, signal, keep);
    } finally {
      this.inFlight--;
      if (this.inFlight === 0) this.closeWhenIdle();
    }
  }

  /** The quick way, where it is open: see {@link canPostFast}. */
  private async fast(
    body: Uint8Array,
    headers: HttpRequestHeaders,
    signal: AbortSignal,
    keep: number,
  ): Promise<HttpResponse | undefined> {
    if (this.fastUrl === undefined || !this.isWarm) return undefined;
    // A header that is there twice, and one that asks for the end of the connection, only node:http sends.
    if (this.isLastOfConnection || Object.values(headers).some(Array.isArray)) return undefined;
    try {
      return await postFast({
        url: this.fastUrl,
        method: this.config.http_method,
        body,
        headers,
        keep,
        timeoutMs: this.answerMs,
        idleMs: this.readIdleMs,
        signal,
      });
    } catch (error) {
      if (error instanceof LateError || signal.aborted) throw error;
      return undefined;
    }
  }

  private get isLastOfConnection(): boolean {
    const most = this.config["net.keepalive_max_recycle"];
    return most > 0 && this.requests >= most;
  }

  /** Ends the connections that are kept. */
  close(): void {
    this.cancelIdle?.();
    this.agent.destroy();
  }

  private once(
    body: Uint8Array,
    headers: HttpRequestHeaders,
    signal: AbortSignal,
    keep: number,
  ): Promise<HttpResponse> {
    return new Promise((resolve, reject) => {
      const request = (this.speaksTls ? secure() : http).request({
        ...this.base,
        agent: this.agent,
        headers: {
          ...this.base.headers as HttpRequestHeaders,
          ...headers,
          "Content-Length": String(body.length),
        },
      });
      const late = (reason: string) => request.destroy(new Error(reason));
      const step = new Deadline(this.clock, late);
      const idle = new Deadline(this.clock, late);
      const onAbort = () => request.destroy(new Error("aborted"));
      const settle = (call: () => void) => {
        step.stop();
        idle.stop();
        signal.removeEventListener("abort", onAbort);
        // An answer may come before the whole body is sent, whose memory is the engine's again from now on.
        if (!request.writableFinished) request.destroy();
        call();
      };
      signal.addEventListener("abort", onAbort, { once: true });
      request.on("error", (error) => {
        const isStale = request.reusedSocket && isReset(error);
        settle(() => reject(isStale ? new StaleConnection(error) : error));
      });
      request.on("response", (response) => {
        readResponse(response, keep, () => idle.start(this.readIdleMs, "the answer stands still"))
          .then((read) => settle(() => resolve(read)), (error) => settle(() => reject(error)));
      });
      this.watch(request, step);
      request.end(body);
    });
  }

  /** Gives each step of a request its own time: to connect, to send, to be answered. */
  private watch(request: http.ClientRequest, step: Deadline): void {
    const { config, answerMs: answer } = this;
    step.start(config["net.connect_timeout"], "connecting takes too long");
    const sending = () => step.start(answer, "sending takes too long");
    request.on("socket", (socket) => {
      if (config["net.tcp_keepalive"]) {
        socket.setKeepAlive(true, Math.max(0, config["net.tcp_keepalive_time"]) * 1000);
      }
      if (!socket.connecting) sending();
      else socket.once(this.speaksTls ? "secureConnect" : "connect", sending);
    });
    request.on("finish", () => step.start(answer, "no answer in time"));
  }

  private get answerMs(): number {
    return this.config["http.response_timeout"] || this.config["net.io_timeout"];
  }

  private get readIdleMs(): number {
    return this.config["http.read_idle_timeout"] || this.config["net.io_timeout"];
  }

  private makeAgent(): http.Agent {
    const { config, proxy, server } = this;
    const options: https.AgentOptions = {
      keepAlive: config["net.keepalive"],
      maxSockets: config["net.max_worker_connections"] || Infinity,
    };
    if (proxy !== undefined && config.tls) {
      const authority = `${bracket(config.host)}:${config.port}`;
      const timeoutMs = config["net.connect_timeout"];
      const { TunnelAgent } = require("./tunnel-agent.ts") as typeof import("./tunnel-agent.ts");
      return oneServer(new TunnelAgent(proxy, server, authority, timeoutMs, options));
    }
    if (!this.speaksTls) return new http.Agent(options);
    return oneServer(new (secure().Agent)({ ...options, ...server }));
  }

  /** Makes connections anew that have carried their share of requests. */
  private recycle(): void {
    this.cancelIdle?.();
    this.cancelIdle = undefined;
    if (this.isLastOfConnection && this.inFlight === 0) this.renew();
  }

  private closeWhenIdle(): void {
    if (!this.config["net.keepalive"]) return;
    this.cancelIdle = this.clock.after(
      this.config["net.keepalive_idle_timeout"],
      () => this.renew(),
    );
  }

  private renew(): void {
    this.agent.destroy();
    this.agent = this.makeAgent();
    this.requests = 0;
    this.isWarm = false;
  }
}

/** Agents look connections up by all options, certificates spelled out. Here all lead to the same server. */
function oneServer(agent: https.Agent): https.Agent {
  agent.getName = () => "server";
  return agent;
}

class StaleConnection extends Error {
  constructor(cause: Error) {
    super(cause.message, { cause });
  }
}

function isReset(error: NodeJS.ErrnoException): boolean {
  return error.code === "ECONNRESET" || error.code === "EPIPE";
}

function bracket(host: string): string {
  const name = unbracket(host);
  return name.includes(":") ? `[${name}]` : name;
}

/** A timer that is set again and again. */
class Deadline {
  private readonly clock: Clock;
  private readonly onLate: (reason: string) => void;
  private cancel: (() => void) | undefined;
  private stopped = false;

  constructor(clock: Clock, onLate: (reason: string) => void) {
    this.clock = clock;
    this.onLate = onLate;
  }

  /** 0 is no limit. */
  start(ms: number, reason: string): void {
    this.cancel?.();
    this.cancel = undefined;
    if (ms > 0 && !this.stopped) {
      this.cancel = this.clock.after(ms, () => this.onLate(`${reason}: over ${ms / 1000} s`));
    }
  }

  stop(): void {
    this.stopped = true;
    this.cancel?.();
  }
}
