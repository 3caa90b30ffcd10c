import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer, type TlsOptions } from "node:tls";
import { gunzipSync } from "node:zlib";
import { addExtension, pack, Unpackr } from "msgpackr";

/** One message of a client, and the connection that it came on. */
export interface ForwardMessage {
  /** Counts messages from 1. */
  readonly number: number;
  /** Counts connections from 1. */
  readonly connection: number;
  readonly socket: Socket;
  readonly tag: string;
  /** `[time, body]` or `[[time, metadata], body]`, unpacked. */
  readonly events: readonly [unknown, Record<string, unknown>][];
  /** The options as they came; `undefined` when there were none. */
  readonly options: Record<string, unknown> | undefined;
}

/** What a peer does; what is left out is done right. */
export interface ForwardBehaviour {
  onConnection?(socket: Socket, connection: number): void;
  /** Any bytes, before anything is made of them. Return true when they are not to be looked at. */
  onBytes?(socket: Socket, bytes: Buffer, connection: number): boolean | void;
  onMessage?(message: ForwardMessage): void;
}

export interface ForwardPeerOptions {
  /** A port, or the path of a Unix socket; any free port by default. */
  readonly listen?: number | string;
  readonly tls?: TlsOptions;
}

addExtension({
  type: 0,
  unpack: (bytes: Buffer) => ({ sec: bytes.readUInt32BE(0), nsec: bytes.readUInt32BE(4) }),
} as never);
const unpackr = new Unpackr({ useRecords: false, mapsAsObjects: true });

/** A server of the Forward protocol that a test can make do wrong. It has no code in common with the output. */
export class ForwardPeer implements Disposable {
  readonly messages: ForwardMessage[] = [];
  connections = 0;
  /** Bytes of all clients. */
  receivedBytes = 0;
  private readonly server: Server;
  private readonly behaviour: ForwardBehaviour;
  private readonly sockets = new Set<Socket>();

  private constructor(server: Server, behaviour: ForwardBehaviour) {
    this.server = server;
    this.behaviour = behaviour;
  }

  static async start(
    behaviour: ForwardBehaviour = {},
    { listen = 0, tls }: ForwardPeerOptions = {},
  ): Promise<ForwardPeer> {
    const server = tls === undefined ? createServer() : createTlsServer(tls);
    const peer = new ForwardPeer(server, behaviour);
    const event = tls === undefined ? "connection" : "secureConnection";
    server.on(event, (socket: Socket) => peer.follow(socket));
    server.on("tlsClientError", () => undefined);
    await new Promise<void>((ready) => {
      if (typeof listen === "string") server.listen(listen, ready);
      else server.listen(listen, "127.0.0.1", ready);
    });
    return peer;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  get openConnections(): number {
    return this.sockets.size;
  }

  /** The bodies of all records, in the order they came. */
  get bodies(): Record<string, unknown>[] {
    return this.messages.flatMap(({ events }) => events.map(([, body]) => body));
  }

  [Symbol.dispose](): void {
    this.server.close();
    for (const socket of this.sockets) socket.destroy();
  }

  private follow(socket: Socket): void {
    const connection = ++this.connections;
    this.sockets.add(socket);
    socket.on("error", () => undefined);
    socket.on("close", () => this.sockets.delete(socket));
    this.behaviour.onConnection?.(socket, connection);
    let waiting = Buffer.alloc(0);
    socket.on("data", (part: Buffer) => {
      this.receivedBytes += part.length;
      if (this.behaviour.onBytes?.(socket, part, connection)) return;
      waiting = Buffer.concat([waiting, part]);
      const { values, read } = unpackAll(waiting);
      waiting = waiting.subarray(read);
      for (const value of values) this.take(value, socket, connection);
    });
  }

  private take(value: unknown, socket: Socket, connection: number): void {
    const [tag, events, options] = value as [string, unknown, Record<string, unknown> | undefined];
    const message: ForwardMessage = {
      number: this.messages.length + 1,
      connection,
      socket,
      tag,
      options,
      events: eventsOf(events, options),
    };
    this.messages.push(message);
    if (this.behaviour.onMessage) this.behaviour.onMessage(message);
    else acknowledge(message);
  }
}

/** Answers as the protocol has it. */
export function acknowledge({ socket, options }: ForwardMessage, chunk = options?.["chunk"]): void {
  if (chunk !== undefined) socket.write(pack({ ack: chunk }));
}

function eventsOf(
  events: unknown,
  options: Record<string, unknown> | undefined,
): ForwardMessage["events"] {
  if (Array.isArray(events)) return events;
  const bytes = events as Buffer;
  const plain = options?.["compressed"] === "gzip" ? gunzipSync(bytes) : bytes;
  return unpackr.unpackMultiple(plain) as unknown as ForwardMessage["events"];
}

function unpackAll(bytes: Buffer): { values: unknown[]; read: number } {
  if (bytes.length === 0) return { values: [], read: 0 };
  try {
    return { values: unpackr.unpackMultiple(bytes) as unknown[], read: bytes.length };
  } catch (error) {
    const { incomplete, values = [], lastPosition = 0 } = error as {
      incomplete?: boolean;
      values?: unknown[];
      lastPosition?: number;
    };
    if (!incomplete) throw error;
    return { values, read: lastPosition };
  }
}
