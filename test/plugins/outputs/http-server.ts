import http, { type IncomingMessage, type RequestListener, type ServerResponse } from "node:http";
import https, { type ServerOptions } from "node:https";
import type { AddressInfo, Server } from "node:net";

/** What arrived in one request. */
export interface Received {
  readonly method: string;
  readonly url: string;
  readonly rawHeaders: string[];
  readonly headers: IncomingMessage["headers"];
  readonly body: Buffer;
}

export interface TestServer {
  readonly port: number;
  readonly received: Received[];
  /** Connections that were made so far. */
  readonly connections: () => number;
}

const running: Server[] = [];

export async function listen(server: Server): Promise<number> {
  running.push(server);
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  return (server.address() as AddressInfo).port;
}

/** Stops every server that a test has started. */
export function stopServers(): void {
  for (const server of running.splice(0)) {
    server.close();
    if (server instanceof http.Server) server.closeAllConnections();
  }
}

/** A server that remembers requests and answers as `respond` says, 200 when it says nothing. */
export async function startServer(
  respond: (response: ServerResponse, received: Received) => void = (response) => response.end(),
  tls?: ServerOptions,
): Promise<TestServer> {
  const received: Received[] = [];
  const handle: RequestListener = (request, response) => {
    const parts: Buffer[] = [];
    request.on("data", (part: Buffer) => parts.push(part));
    request.on("end", () => {
      const { method = "", url = "", rawHeaders, headers } = request;
      received.push({ method, url, rawHeaders, headers, body: Buffer.concat(parts) });
      respond(response, received.at(-1)!);
    });
  };
  const server = tls === undefined ? http.createServer(handle) : https.createServer(tls, handle);
  let connections = 0;
  server.on(tls === undefined ? "connection" : "secureConnection", () => connections++);
  return { port: await listen(server), received, connections: () => connections };
}
