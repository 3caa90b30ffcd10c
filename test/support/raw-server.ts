import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer, type TlsOptions } from "node:tls";

/** One request on its way, and the connection that it comes on. */
export interface Exchange {
  /** Counts requests from 1. */
  readonly number: number;
  readonly socket: Socket;
  /** Request line and headers. */
  readonly head: string;
  /** What has come of the body. */
  body: Buffer;
}

/** What a server does with a request. */
export interface Behaviour {
  /** When the headers are there. */
  onHead?(exchange: Exchange): void;
  /** When the whole body is there. */
  onBody?(exchange: Exchange): void;
}

export interface RawServerOptions {
  readonly host?: string;
  /** Any that is free by default. */
  readonly port?: number;
  readonly tls?: TlsOptions;
  /** Called for each connection, before anything comes. */
  readonly onConnection?: (socket: Socket) => void;
}

/** The shortest answer that is a success. */
export const OK = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

/** An HTTP server that knows no rules: a test says what goes over its connections, and when they end. */
export class RawServer implements Disposable {
  readonly exchanges: Exchange[] = [];
  /** Of connections that were to speak TLS. */
  readonly handshakeErrors: string[] = [];
  readonly port: number;
  private readonly server: Server;
  private readonly sockets = new Set<Socket>();

  private constructor(server: Server, port: number) {
    this.server = server;
    this.port = port;
  }

  /** What it does not do otherwise is to answer every request with {@link OK}. */
  static async start(
    behaviour: Behaviour = {},
    { host = "127.0.0.1", port = 0, tls, onConnection }: RawServerOptions = {},
  ): Promise<RawServer> {
    const server = tls === undefined ? createServer() : createTlsServer(tls);
    await new Promise<void>((ready) => server.listen(port, host, ready));
    const raw = new RawServer(server, (server.address() as AddressInfo).port);
    server.on(tls === undefined ? "connection" : "secureConnection", (socket: Socket) => {
      onConnection?.(socket);
      raw.follow(socket, { onBody: ({ socket }) => void socket.write(OK), ...behaviour });
    });
    server.on("tlsClientError", (error: Error) => void raw.handshakeErrors.push(error.message));
    return raw;
  }

  /** The bodies that came whole, for an output with `format: json_lines`. */
  get records(): Record<string, unknown>[] {
    return this.exchanges.filter(isWhole).flatMap(({ body }) =>
      body.toString().split("\n").filter(Boolean).map((line) => JSON.parse(line))
    );
  }

  [Symbol.dispose](): void {
    this.server.close();
    for (const socket of this.sockets) socket.destroy();
  }

  private follow(socket: Socket, behaviour: Behaviour): void {
    this.sockets.add(socket);
    socket.on("error", () => undefined);
    let waiting = Buffer.alloc(0);
    let current: Exchange | undefined;
    socket.on("data", (part: Buffer) => {
      waiting = Buffer.concat([waiting, part]);
      if (current === undefined) {
        const end = waiting.indexOf("\r\n\r\n");
        if (end === -1) return;
        const head = waiting.subarray(0, end).toString("latin1");
        const number = this.exchanges.length + 1;
        waiting = waiting.subarray(end + 4);
        current = { number, socket, head, body: Buffer.alloc(0) };
        this.exchanges.push(current);
        behaviour.onHead?.(current);
      }
      current.body = Buffer.concat([current.body, waiting]);
      waiting = Buffer.alloc(0);
      if (!isWhole(current)) return;
      behaviour.onBody?.(current);
      current = undefined;
    });
  }
}

function isWhole({ head, body }: Exchange): boolean {
  return body.length >= Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? 0);
}
