import http from "node:http";
import https from "node:https";
import type { Duplex } from "node:stream";
import tls from "node:tls";
import type { Proxy } from "./proxy.ts";

/** Connects to servers through a tunnel that it asks a proxy for: the proxy sees names, never contents. */
export class TunnelAgent extends https.Agent {
  private readonly proxy: Proxy;
  private readonly server: tls.ConnectionOptions;
  private readonly authority: string;
  private readonly timeoutMs: number;

  /** `timeoutMs` is for the whole tunnel, 0 for no limit. */
  constructor(
    proxy: Proxy,
    server: tls.ConnectionOptions,
    authority: string,
    timeoutMs: number,
    options: https.AgentOptions,
  ) {
    super(options);
    this.timeoutMs = timeoutMs;
    this.proxy = proxy;
    this.server = server;
    this.authority = authority;
  }

  override createConnection(
    _options: unknown,
    done?: (error: Error | null, stream: Duplex) => void,
  ): undefined {
    const { isTls, host, port, authorization } = this.proxy;
    let secure: tls.TLSSocket | undefined;
    let late: ReturnType<typeof setTimeout> | undefined;
    // The request that wants the tunnel gives up by itself, but knows nothing of what is open here.
    const fail = (error: Error) => {
      clearTimeout(late);
      request.destroy();
      secure?.destroy();
      done?.(error, undefined as unknown as Duplex);
      done = undefined;
    };
    const request = (isTls ? https : http).request({
      host,
      port,
      method: "CONNECT",
      path: this.authority,
      agent: false,
      headers: {
        Host: this.authority,
        ...(authorization !== undefined && { "Proxy-Authorization": authorization }),
      },
    });
    request.on("error", fail);
    request.on("connect", (response, socket) => {
      if (response.statusCode !== 200) {
        socket.destroy();
        return fail(new Error(`the proxy's status is ${response.statusCode}`));
      }
      const stream = tls.connect({ ...this.server, socket });
      secure = stream;
      stream.once("error", fail);
      stream.once("secureConnect", () => {
        clearTimeout(late);
        stream.removeListener("error", fail);
        done?.(null, stream);
      });
    });
    request.on("response", (response) => {
      response.destroy();
      fail(new Error(`the proxy's status is ${response.statusCode}`));
    });
    if (this.timeoutMs > 0) {
      late = setTimeout(() => fail(new Error("the proxy takes too long")), this.timeoutMs);
    }
    request.end();
    return undefined;
  }
}
