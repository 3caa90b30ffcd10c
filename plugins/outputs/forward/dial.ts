import { type NetConfig, tlsOptions } from "logcollector/plugin";
import net from "node:net";
import tls from "node:tls";
import type { ForwardConfig } from "./config.ts";

/** Begins connections to the server. */
export interface Dial {
  /** Where they lead, for messages. */
  readonly target: string;
  /** The event that says that the socket can be written to. */
  readonly readyEvent: "connect" | "secureConnect";
  (): net.Socket;
}

/** Reads certificates: throws ConfigError for one that is not there. */
export function dialer(config: ForwardConfig): Dial {
  const { unix_path: path, port } = config;
  if (path !== undefined) {
    return Object.assign(() => net.connect({ path }), {
      target: path,
      readyEvent: "connect" as const,
    });
  }
  const host = config.host.replace(/^\[(.*)\]$/, "$1");
  const target = `${host.includes(":") ? `[${host}]` : host}:${port}`;
  const place = {
    host,
    port,
    ...(config["net.source_address"] !== undefined &&
      { localAddress: config["net.source_address"] }),
    ...(config.ipv6 && { family: 6 }),
  };
  if (!config.tls) {
    const dial = () => tuned(net.connect(place), config);
    return Object.assign(dial, { target, readyEvent: "connect" as const });
  }
  const secure = tlsOptions(config, host);
  const dial = () => tuned(tls.connect({ ...place, ...secure }), config);
  return Object.assign(dial, { target, readyEvent: "secureConnect" as const });
}

function tuned(socket: net.Socket, config: NetConfig): net.Socket {
  socket.setNoDelay(true);
  if (config["net.tcp_keepalive"]) {
    socket.setKeepAlive(true, Math.max(0, config["net.tcp_keepalive_time"]) * 1000);
  }
  return socket;
}
