import http, { type IncomingMessage } from "node:http";
import https from "node:https";
import type { ConnectionOptions } from "node:tls";
import { failureReason } from "../../lib/failure-reason.ts";
import type { Clock } from "../context.ts";
import { tlsOptions } from "../tls-options.ts";
import { apiServerUrl, type KubeApiConfig } from "./api-options.ts";
import { answerParts } from "./answer-parts.ts";
import { type KubeError, kubeError } from "./kube-error.ts";
import { KubeToken } from "./kube-token.ts";

/** To connect and to be answered. */
const ANSWER_MS = 30_000;
const LONGEST_STATUS = 64 * 1024;
const UNAUTHORIZED = 401;
const KEEPALIVE_MS = 30_000;

/** How an answer is read. */
export interface ReadOptions {
  /** The longest time between two parts of it, in milliseconds. */
  readonly idleMs: number;
  readonly signal: AbortSignal;
  /** Called when the answer of success begins, before its first part. */
  readonly onOpen?: () => void;
}

/** Reads from Kubernetes' API server, or from another server that takes the same tokens. */
export class KubeClient {
  /** For messages. */
  readonly target: string;
  private readonly config: KubeApiConfig;
  private readonly url: URL;
  private readonly clock: Clock;
  private readonly token: KubeToken;

  /** @param url in place of the API server's */
  constructor(
    config: KubeApiConfig,
    clock: Clock,
    url: URL = apiServerUrl(config, process.env),
  ) {
    this.config = config;
    this.url = url;
    this.clock = clock;
    this.token = new KubeToken(config, clock);
    this.target = url.origin;
  }

  /**
   * The parts of an answer of success, as they come. Every request has a connection of its own, on which nothing is left
   * to others. Throws {@link KubeError} for another answer, and an Error with the reason when there is none.
   */
  async *read(path: string, options: ReadOptions): AsyncGenerator<Buffer, void, void> {
    const response = await this.open(path, options.signal).catch((error: Error) => {
      throw plain(error);
    });
    options.onOpen?.();
    try {
      yield* answerParts(response, options, this.clock);
    } catch (error) {
      throw plain(error as Error);
    } finally {
      response.destroy();
    }
  }

  private async open(path: string, signal: AbortSignal): Promise<IncomingMessage> {
    const first = await this.request(path, signal);
    if (first.statusCode === 200) return first;
    const refusal = await this.refusalOf(first, signal);
    if (refusal.status !== UNAUTHORIZED) throw refusal;
    // It may have been replaced since it was read.
    this.token.forget();
    const second = await this.request(path, signal);
    if (second.statusCode === 200) return second;
    this.token.forget();
    throw await this.refusalOf(second, signal);
  }

  private async request(path: string, signal: AbortSignal): Promise<IncomingMessage> {
    signal.throwIfAborted();
    const { url, clock } = this;
    const isTls = url.protocol === "https:";
    const tls = isTls ? this.tls() : {};
    const authorization = await this.authorization(isTls);
    signal.throwIfAborted();
    return await new Promise<IncomingMessage>((resolve, reject) => {
      const request = (isTls ? https : http).request({
        ...tls,
        agent: false,
        host: url.hostname.replace(/^\[|\]$/g, ""),
        port: url.port === "" ? (isTls ? 443 : 80) : Number(url.port),
        path: url.pathname.replace(/\/$/, "") + path,
        headers: {
          Host: url.host,
          Accept: "application/json",
          "User-Agent": "logcollector",
          ...authorization,
        },
      });
      const cancel = clock.after(ANSWER_MS, () => {
        request.destroy(new Error(`no answer in ${ANSWER_MS / 1000} s`));
      });
      const onAbort = () => request.destroy(new Error("aborted"));
      signal.addEventListener("abort", onAbort, { once: true });
      const settle = () => {
        cancel();
        signal.removeEventListener("abort", onAbort);
      };
      request.on("socket", (socket) => socket.setKeepAlive(true, KEEPALIVE_MS));
      request.on("error", (error) => {
        settle();
        reject(error);
      });
      request.on("response", (response) => {
        settle();
        resolve(response);
      });
      request.end();
    });
  }

  /** Files are read each time: a cluster renews its authorities while this runs. */
  private tls(): ConnectionOptions {
    const { config } = this;
    const { kube_ca_file, kube_ca_path, ...rest } = config;
    const options = {
      ...rest,
      tls: true,
      "tls.ca_file": kube_ca_file,
      "tls.ca_path": kube_ca_path,
      "tls.crt_file": undefined,
      "tls.key_file": undefined,
      "tls.key_passwd": undefined,
      "tls.min_version": undefined,
      "tls.max_version": undefined,
      "tls.ciphers": undefined,
    };
    // Not needed then, so it need not be there.
    if (!config["tls.verify"]) Object.assign(options, { "tls.ca_file": undefined });
    const found = tlsOptions(options, this.url.hostname);
    if (config["tls.verify"] && !String(found.ca).includes("-----BEGIN CERTIFICATE-----")) {
      throw new Error(`no certificate in kube_ca_file ${kube_ca_file}`);
    }
    return found;
  }

  private async authorization(isTls: boolean): Promise<Readonly<Record<string, string>>> {
    try {
      return { Authorization: `Bearer ${await this.token.read()}` };
    } catch (error) {
      // A proxy on this machine logs in by itself.
      const isMissing = (((error as Error).cause) as NodeJS.ErrnoException)?.code === "ENOENT";
      if (!isTls && isMissing && this.config.kube_token_command === undefined) return {};
      throw error;
    }
  }

  private async refusalOf(response: IncomingMessage, signal: AbortSignal): Promise<KubeError> {
    const parts: Buffer[] = [];
    let size = 0;
    for await (const part of answerParts(response, { idleMs: ANSWER_MS, signal }, this.clock)) {
      parts.push(part);
      size += part.length;
      if (size > LONGEST_STATUS) break;
    }
    response.destroy();
    const { statusCode = 0, headers } = response;
    return kubeError(statusCode, Buffer.concat(parts).toString(), headers["retry-after"]);
  }
}

/** The error with words that help, and the names that the options have here. */
function plain(error: Error): Error {
  if (error.name === "KubeError") return error;
  const reason = failureReason(error).replaceAll(/\btls\.ca_(file|path)\b/g, "kube_ca_$1");
  return new Error(reason, { cause: error });
}
