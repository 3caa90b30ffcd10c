import { hostname } from "node:os";
import { formatProblem } from "../../config/problem.ts";
import { UsageError } from "../arguments.ts";
import { type HealthCommand, portOf } from "./arguments.ts";

export interface CollectorAddress {
  /** Without a slash at the end. */
  readonly url: string;
  /** What is worth knowing when nobody answers there; "" for nothing. */
  readonly hint: string;
}

const DEFAULT_LISTEN = "127.0.0.1";
const DEFAULT_PORT = 2020;
const TRUE = /^(true|on|yes|1)$/i;

/** Where the collector answers: as the command line says, or its configuration, or by default. Throws {@link UsageError}. */
export function findAddress({ configPath, url, port }: HealthCommand): CollectorAddress {
  if (url !== undefined) return { url, hint: "" };
  if (configPath === undefined) {
    return { url: urlOf(DEFAULT_LISTEN, port ?? DEFAULT_PORT), hint: "" };
  }
  // Reading a configuration takes longer than everything else: only when it is asked for.
  const { httpOptions }: typeof import("../../config/http-address.ts") = require(
    "../../config/http-address.ts",
  );
  const options = httpOptions({ path: configPath, env: process.env, hostname: hostname() });
  if (!("listen" in options)) throw new UsageError(options.map(formatProblem).join("\n"));
  const { server, listen = DEFAULT_LISTEN, port: written = String(DEFAULT_PORT) } = options;
  const isServed = server !== undefined && TRUE.test(server);
  if (written === "0") {
    throw new UsageError(
      `${configPath}: http_port is 0, so the system picks a port: give it with --port`,
    );
  }
  return {
    url: urlOf(listen, portOf(written, `${configPath}: http_port`)),
    hint: isServed ? "" : `; http_server is not on in ${configPath}`,
  };
}

/** What listens on all addresses answers on loopback. */
function urlOf(listen: string, port: number): string {
  if (listen === "0.0.0.0") return urlOf("127.0.0.1", port);
  if (listen === "::") return urlOf("::1", port);
  return `http://${listen.includes(":") ? `[${listen}]` : listen}:${port}`;
}
