import { UsageError } from "../arguments.ts";
import { helpOf, nothingBehind, parseSubcommand, type SubcommandFamily } from "../subcommand.ts";

/** What the user asked `logcollector queue` for. */
export type QueueCommand =
  | {
    readonly name: "inspect";
    readonly place: QueuePlace;
    readonly streams: boolean;
    readonly json: boolean;
  }
  | { readonly name: "verify"; readonly place: QueuePlace; readonly json: boolean }
  | { readonly name: "help" };

/** Where queues are: one of the two is given. */
export interface QueuePlace {
  readonly configPath: string | undefined;
  readonly path: string | undefined;
}

const FAMILY: SubcommandFamily<Exclude<QueueCommand["name"], "help">> = {
  family: "queue",
  options: {
    config: { type: "string", short: "c" },
    path: { type: "string" },
    json: { type: "boolean" },
    streams: { type: "boolean" },
  },
  optionsOf: {
    inspect: ["config", "path", "json", "streams"],
    verify: ["config", "path", "json"],
  },
};

/** Reads what follows `logcollector queue`. Throws {@link UsageError}. */
export function parseQueueArguments(args: readonly string[]): QueueCommand {
  const parsed = parseSubcommand(args, FAMILY);
  if (parsed === undefined) return { name: "help" };
  const { name, words, options } = parsed;
  nothingBehind(words, `queue ${name}`);
  const place = { configPath: options.get("config"), path: options.get("path") };
  if (place.configPath === undefined && place.path === undefined) {
    throw new UsageError(
      `"queue ${name}" needs to know where: give the configuration with -c, or a folder with --path: ${
        helpOf("queue")
      }`,
    );
  }
  if (place.configPath !== undefined && place.path !== undefined) {
    throw new UsageError("-c and --path both say where the queues are: give one of them");
  }
  const json = options.has("json");
  return name === "verify"
    ? { name, place, json }
    : { name, place, json, streams: options.has("streams") };
}
