import type { Clock, NetConfig } from "logcollector/plugin";
import { Connection, ConnectionLost, type ConnectionOptions } from "./connection.ts";
import type { Message } from "./message.ts";

/** For so long a connection may take to end, in milliseconds. */
const CLOSE_MS = 500;
/** For so long a server is listened to that has wanted a login before, in milliseconds. */
const HELO_MS = 1000;

/** Sends messages to one server, over connections that it keeps for a while. */
export class Connections {
  private readonly options: ConnectionOptions;
  private readonly config: NetConfig;
  private readonly clock: Clock;
  /** What is open and not in use, with what keeps it from being closed. */
  private readonly idle = new Map<Connection, () => void>();
  private isClosed = false;
  /** The server has said so, and without a login nothing must be sent that it would throw away. */
  private mayWantLogin = false;

  constructor(options: ConnectionOptions, config: NetConfig) {
    this.options = {
      ...options,
      onLoginWanted: () => {
        this.mayWantLogin = true;
        options.onLoginWanted();
      },
    };
    this.config = config;
    this.clock = options.clock;
  }

  /** Sends what `make` makes, another one for each connection. Rejects when it may not have arrived. */
  async deliver(make: () => Message, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const kept = this.takeIdle();
    if (kept !== undefined) {
      try {
        return await this.use(kept, make(), signal);
      } catch (error) {
        // The server may have closed it at the moment it was used again: that says nothing about it.
        if (!(error instanceof ConnectionLost)) throw error;
      }
    }
    const heloMs = this.mayWantLogin ? HELO_MS : 0;
    const fresh = await Connection.open(this.options, signal, heloMs);
    // It had the time to say so again.
    if (heloMs > 0) this.mayWantLogin = false;
    await this.use(fresh, make(), signal);
  }

  /** Resolves when all connections are closed, or a moment later. */
  async close(): Promise<void> {
    this.isClosed = true;
    const ends = [...this.idle].map(([connection, cancel]) => {
      cancel();
      return connection.end();
    });
    this.idle.clear();
    if (ends.length === 0) return;
    const timer = new AbortController();
    await Promise.race([Promise.all(ends), this.clock.sleep(CLOSE_MS, timer.signal)]);
    timer.abort();
  }

  private async use(connection: Connection, message: Message, signal: AbortSignal): Promise<void> {
    await connection.deliver(message, signal);
    const most = this.config["net.keepalive_max_recycle"];
    const isSpent = !this.config["net.keepalive"] || !connection.keepsAlive ||
      (most > 0 && connection.uses >= most);
    if (isSpent || this.isClosed) return void connection.end();
    const idleMs = this.config["net.keepalive_idle_timeout"];
    const cancel = idleMs > 0 ? this.clock.after(idleMs, () => this.drop(connection)) : () => {};
    this.idle.set(connection, cancel);
  }

  private takeIdle(): Connection | undefined {
    for (const [connection, cancel] of this.idle) {
      cancel();
      this.idle.delete(connection);
      if (connection.isUsable) return connection;
    }
    return undefined;
  }

  private drop(connection: Connection): void {
    this.idle.delete(connection);
    void connection.end();
  }
}
