import { type AddressInfo, createServer, type Server, type Socket } from "node:net";

/** How a destination behaves for the moment. */
export type SinkMode =
  | "takes"
  /** Answers 503. */
  | "refuses"
  /** Reads, and never answers. */
  | "hangs"
  /** Ends the connection in the middle of the request. */
  | "resets"
  /** Takes what came, and ends the connection without an answer. */
  | "forgets"
  /** Answers after a while. */
  | "slow"
  /** Nobody listens. */
  | "down";

const SLOW_MS = 700;
const HEAD_END = "\r\n\r\n";

/** A destination over HTTP that hands on the bodies that it took. */
export class TortureSink {
  port = 0;
  private mode: SinkMode = "takes";
  private server: Server | undefined;
  private readonly sockets = new Set<Connection>();

  /** `onOrphan`: what was taken last on this connection may come again, because nobody heard the answer. */
  constructor(
    private readonly onBody: (body: Buffer, connection: Connection) => void,
    private readonly onOrphan: (connection: Connection) => void,
  ) {}

  async listen(): Promise<void> {
    this.server = createServer((socket) => this.follow(socket));
    await new Promise<void>((ready, fail) => {
      this.server!.once("error", fail);
      this.server!.listen(this.port, "127.0.0.1", ready);
    });
    this.port = (this.server.address() as AddressInfo).port;
  }

  async set(mode: SinkMode): Promise<void> {
    const before = this.mode;
    this.mode = mode;
    if (mode === "down") {
      // Nor may the last answer have been heard.
      for (const connection of this.sockets) this.onOrphan(connection);
      this.close();
    }
    if (before === "down" && mode !== "down") await this.listen();
    // Who waits for an answer that never comes may find out now.
    if (before === "hangs") { for (const { socket } of this.sockets) socket.destroy(); }
  }

  close(): void {
    this.server?.close();
    for (const { socket } of this.sockets) socket.destroy();
  }

  get connections(): Connection[] {
    return [...this.sockets];
  }

  private follow(socket: Socket): void {
    const connection = new Connection(socket);
    this.sockets.add(connection);
    socket.on("error", () => undefined);
    socket.on("close", () => this.sockets.delete(connection));
    socket.on("data", (part: Buffer) => {
      if (this.mode === "resets") return void socket.resetAndDestroy();
      for (const body of connection.add(part)) this.answer(body, connection);
    });
  }

  private answer(body: Buffer, connection: Connection): void {
    const { socket } = connection;
    if (this.mode === "hangs") return;
    if (this.mode === "refuses") return void respond(socket, "503 Service Unavailable");
    if (this.mode === "forgets") {
      this.onBody(body, connection);
      this.onOrphan(connection);
      return void socket.destroy();
    }
    const take = () => {
      if (socket.destroyed) return;
      this.onBody(body, connection);
      respond(socket, "200 OK");
    };
    if (this.mode === "slow") setTimeout(take, SLOW_MS);
    else take();
  }
}

function respond(socket: Socket, status: string): void {
  socket.write(`HTTP/1.1 ${status}\r\nContent-Length: 0\r\n\r\n`);
}

/** One connection of a sender, and what has come over it. */
export class Connection {
  private parts: Buffer[] = [];
  private bytes = 0;
  /** Of the request on its way, as far as it is known. */
  private wanted = 0;
  private headBytes = 0;

  constructor(readonly socket: Socket) {}

  /** Gives the bodies that are whole now. */
  *add(part: Buffer): Generator<Buffer> {
    this.parts.push(part);
    this.bytes += part.length;
    while (this.bytes >= this.wanted && this.bytes > 0) {
      const all = Buffer.concat(this.parts);
      this.parts = [all];
      if (this.wanted === 0 && !this.readHead(all)) return;
      if (this.bytes < this.wanted) return;
      const body = all.subarray(this.headBytes, this.wanted);
      const rest = all.subarray(this.wanted);
      this.parts = [rest];
      this.bytes = rest.length;
      this.wanted = 0;
      yield body;
    }
  }

  private readHead(all: Buffer): boolean {
    const end = all.indexOf(HEAD_END);
    if (end === -1) return false;
    this.headBytes = end + HEAD_END.length;
    const length = /^content-length: *(\d+)/im.exec(all.toString("latin1", 0, end))?.[1];
    if (length === undefined) throw new Error("A request without Content-Length came");
    this.wanted = this.headBytes + Number(length);
    return true;
  }
}
