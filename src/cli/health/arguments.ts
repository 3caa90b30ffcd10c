import { parseArgs } from "node:util";
import { parseDuration } from "../../lib/duration.ts";
import { UsageError } from "../arguments.ts";

/** What the user asked `logcollector health` for. */
export interface HealthCommand {
  readonly configPath: string | undefined;
  readonly url: string | undefined;
  readonly port: number | undefined;
  /** Ask only whether the collector answers at all. */
  readonly live: boolean;
  readonly timeoutMs: number;
}

const OPTIONS = {
  config: { type: "string", short: "c" },
  url: { type: "string" },
  port: { type: "string" },
  live: { type: "boolean" },
  timeout: { type: "string" },
  help: { type: "boolean", short: "h" },
} as const;

const MAX_TIMEOUT_MS = 3_600_000;

/** Reads what follows `logcollector health`; `undefined` when help is asked for. Throws {@link UsageError}. */
export function parseHealthArguments(args: readonly string[]): HealthCommand | undefined {
  const values = parse(args);
  if (values.help) return undefined;
  const { config, url, port, timeout } = values;
  const places = Object.entries({ "-c": config, "--url": url, "--port": port })
    .filter(([, value]) => value !== undefined).map(([option]) => option);
  if (places.length > 1) {
    throw new UsageError(
      `${places.join(" and ")} both say where the collector answers: give one of them`,
    );
  }
  return {
    configPath: config,
    url: url === undefined ? undefined : urlOf(url),
    port: port === undefined ? undefined : portOf(port, "--port"),
    live: values.live ?? false,
    timeoutMs: timeoutOf(timeout ?? "3s"),
  };
}

/** Reads a port that something can listen on. Throws {@link UsageError} that begins with `where`. */
export function portOf(text: string, where: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : NaN;
  if (port >= 1 && port <= 65_535) return port;
  throw new UsageError(`${where}: expected a port from 1 to 65535, got "${text}"`);
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: OPTIONS, strict: true }).values;
  } catch (error) {
    const message = (error as Error).message.split(". ")[0]!;
    throw new UsageError(`${message}: see "logcollector health --help"`);
  }
}

function urlOf(text: string): string {
  const url = URL.parse(text);
  const isPlain = url !== null && /^https?:$/.test(url.protocol) && url.username === "" &&
    url.search === "" && url.hash === "";
  // The text itself may hold a password: it is not repeated.
  if (!isPlain) throw new UsageError("--url: expected an address such as http://127.0.0.1:2020");
  return url.href.replace(/\/+$/, "");
}

function timeoutOf(text: string): number {
  try {
    const ms = parseDuration(text);
    if (ms > 0 && ms <= MAX_TIMEOUT_MS) return ms;
  } catch (error) {
    throw new UsageError(`--timeout: ${(error as Error).message}`);
  }
  throw new UsageError(`--timeout: expected a time of up to an hour, got "${text}"`);
}
