import { type Clock, failureReason, type FieldValue, isBody } from "logcollector/plugin";
import type { Socket } from "node:net";
import type { Credentials } from "./config.ts";
import type { Dial } from "./dial.ts";
import { makePing, readHelo } from "./login.ts";
import type { Message } from "./message.ts";
import { PeerMessages, textOf } from "./peer-messages.ts";

export interface ConnectionOptions {
  readonly dial: Dial;
  readonly credentials: Credentials | undefined;
  readonly clock: Clock;
  /** Time to connect, and again for each answer of the login; 0 is no limit. */
  readonly connectMs: number;
  /** Time to send a message, and again to wait for its acknowledgement; 0 is no limit. */
  readonly answerMs: number;
  /** Called for a message that nobody asked for. */
  readonly onIgnored: () => void;
  /** Called when there is no login and the server wants one: what was sent before is thrown away there. */
  readonly onLoginWanted: () => void;
}

/** The server has ended the connection: if it had been idle before, that says nothing about the server. */
export class ConnectionLost extends Error {}

/** What a server may say while one answer is waited for: a few messages that nobody asked for, and no flood. */
const MAX_HEARD_BYTES = 16 * 1024;

/** One connection to the server, logged in. What goes wrong ends it. */
export class Connection {
  /** Messages that were sent over it. */
  uses = 0;
  /** False when the server has asked for one message a connection. */
  keepsAlive = true;
  private readonly options: ConnectionOptions;
  private readonly socket: Socket;
  private readonly messages = new PeerMessages((message) => this.onMessage(message));
  private onMessage: (message: FieldValue) => void = (message) => this.unasked(message);
  private heardBytes = 0;
  private failure: Error | undefined;
  /** Ends the step under way. */
  private failStep: ((error: Error) => void) | undefined;

  private constructor(options: ConnectionOptions) {
    this.options = options;
    this.socket = options.dial();
    this.socket.on("data", (part: Buffer) => this.hear(part));
    this.socket.on("error", (error) => this.fail(lost(failureReason(error), error)));
    this.socket.on("close", () => this.fail(lost("the server has closed the connection")));
    this.socket.on("end", () => this.fail(lost("the server has closed the connection")));
  }

  /**
   * Connects and logs in. Without that nothing is sent. Where there is no login, the server has so many milliseconds to
   * say that it wants one.
   */
  static async open(
    options: ConnectionOptions,
    signal: AbortSignal,
    heloMs: number,
  ): Promise<Connection> {
    const connection = new Connection(options);
    const { credentials } = options;
    try {
      if (credentials === undefined) await connection.connected(signal);
      else await connection.logIn(credentials, signal);
      if (heloMs > 0) await connection.listen(heloMs, signal);
    } catch (error) {
      connection.fail(error as Error);
      throw error;
    }
    return connection;
  }

  get isUsable(): boolean {
    return this.failure === undefined;
  }

  /** Sends a message and, if it asks for that, waits for its acknowledgement: the one that names its chunk. */
  async deliver({ parts, chunk }: Message, signal: AbortSignal): Promise<void> {
    const ms = this.options.answerMs;
    let isAcked = chunk === undefined;
    let onAck: (() => void) | undefined;
    this.uses++;
    this.heardBytes = 0;
    this.onMessage = (message) => {
      if (isAcked || ackOf(message) !== chunk) return this.unasked(message);
      isAcked = true;
      onAck?.();
    };
    try {
      await this.step<void>(
        ms,
        "sending takes too long",
        signal,
        (done) => this.write(parts, done),
      );
      if (isAcked) return;
      await this.step<void>(
        ms,
        "no acknowledgement in time",
        signal,
        (done) => void (onAck = done),
      );
    } finally {
      this.onMessage = (message) => this.unasked(message);
    }
  }

  /** Ends the connection when all is sent, and says goodbye where TLS has it so. Resolves when it is closed. */
  async end(): Promise<void> {
    this.failure ??= new Error("the connection was ended");
    const { socket } = this;
    if (socket.closed) return;
    const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
    socket.destroySoon();
    await closed;
  }

  /** Ends the connection at once. */
  fail(error: Error): void {
    this.failure ??= error;
    this.socket.destroy();
    this.failStep?.(error);
  }

  private async connected(signal: AbortSignal): Promise<void> {
    const { connectMs, dial } = this.options;
    await this.step<void>(connectMs, "connecting takes too long", signal, (done) => {
      this.socket.once(dial.readyEvent, () => done());
    });
  }

  private async listen(ms: number, signal: AbortSignal): Promise<void> {
    let cancel: (() => void) | undefined;
    try {
      await this.step<void>(0, "", signal, (done) => {
        cancel = this.options.clock.after(ms, done);
      });
    } finally {
      cancel?.();
    }
  }

  private async logIn(credentials: Credentials, signal: AbortSignal): Promise<void> {
    const inbox: FieldValue[] = [];
    let wake: (() => void) | undefined;
    // The server may speak as soon as there is a connection.
    this.onMessage = (message) => {
      inbox.push(message);
      wake?.();
    };
    const next = (what: string) =>
      this.step<FieldValue>(this.options.connectMs, `no ${what} in time`, signal, (done) => {
        wake = () => {
          if (inbox.length === 0) return;
          wake = undefined;
          done(inbox.shift()!);
        };
        wake();
      });
    await this.connected(signal);
    const helo = readHelo(await next("HELO"));
    if (helo === undefined) throw new Error("the server says something else than HELO");
    const ping = makePing(helo, credentials);
    this.socket.write(ping.bytes);
    const pong = await next("PONG").catch((error) => {
      if (!(error instanceof ConnectionLost)) throw error;
      // Fluent Bit does so when the key is not its own.
      throw new Error("the server ends the connection at the login: see shared_key", {
        cause: error,
      });
    });
    ping.check(pong);
    this.keepsAlive = helo.keepsAlive;
    this.onMessage = (message) => this.unasked(message);
  }

  private write(parts: readonly Uint8Array[], done: () => void): void {
    const { socket } = this;
    const filled = parts.filter(({ length }) => length > 0);
    filled.forEach((part, i) => {
      if (i < filled.length - 1) socket.write(part);
      // An error comes as an event too.
      else socket.write(part, (error) => error ?? done());
    });
  }

  /** Something that ends when `begin` calls its argument: with an error when that takes too long or is not wanted any more. */
  private step<T>(
    ms: number,
    late: string,
    signal: AbortSignal,
    begin: (done: (value: T) => void) => void,
  ): Promise<T> {
    if (this.failure !== undefined) return Promise.reject(this.failure);
    return new Promise<T>((resolve, reject) => {
      const cancel = ms > 0
        ? this.options.clock.after(ms, () => this.fail(new Error(`${late}: over ${ms / 1000} s`)))
        : undefined;
      const onAbort = () => this.fail(new Error("aborted"));
      const end = () => {
        cancel?.();
        signal.removeEventListener("abort", onAbort);
        this.failStep = undefined;
      };
      const failStep = (error: Error) => {
        end();
        reject(error);
      };
      this.failStep = failStep;
      signal.addEventListener("abort", onAbort, { once: true });
      if (signal.aborted) return onAbort();
      begin((value) => {
        // It may be over already, and another one be under way.
        if (this.failStep !== failStep) return;
        end();
        resolve(value);
      });
    });
  }

  private hear(part: Buffer): void {
    if (this.failure !== undefined) return;
    this.heardBytes += part.length;
    try {
      if (this.heardBytes > MAX_HEARD_BYTES) {
        throw new Error(`the server sends over ${MAX_HEARD_BYTES} bytes that nobody asked for`);
      }
      this.messages.feed(part);
    } catch (error) {
      this.fail(error as Error);
    }
  }

  private unasked(message: FieldValue): void {
    if (this.options.credentials === undefined && readHelo(message) !== undefined) {
      this.options.onLoginWanted();
      return this.fail(new Error("the server demands a login: set shared_key"));
    }
    this.options.onIgnored();
  }
}

function ackOf(message: FieldValue): string | undefined {
  return isBody(message) ? textOf(message["ack"]) : undefined;
}

function lost(message: string, cause?: Error): ConnectionLost {
  return new ConnectionLost(message, { cause });
}
