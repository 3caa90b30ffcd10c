import { basename } from "node:path";
import { queueFolderName, shardOfFolder } from "../../buffer/disk/queue-folder.ts";
import { outputStorage } from "../../config/storage.ts";
import { LogSink } from "../../telemetry/logger.ts";
import type { CommandIo } from "../command-io.ts";
import { OutputMaker } from "../dlq/make-outputs.ts";
import type { LoadedRun } from "../load-run.ts";
import type { QueueOnDisk } from "./look-at-queue.ts";

/** Who empties a queue. */
export interface Taker {
  /** `undefined` when nobody does. */
  readonly output: string | undefined;
  /** Why nobody does, for people. */
  readonly problem: string | undefined;
}

/** Finds out which output of a configuration empties which queue. What cannot be made is said, and empties none. */
export async function findTakers(
  loaded: LoadedRun,
  io: CommandIo,
): Promise<(queue: QueueOnDisk) => Taker> {
  const maker = new OutputMaker(loaded, silentLog());
  const takers = new Map<string, string>();
  for (const instance of loaded.config.outputs) {
    if (outputStorage(instance, loaded.config) !== "filesystem") continue;
    try {
      const { id, plugin, format, output } = await maker.make(instance.id);
      takers.set(queueFolderName({ output: id, plugin, format }), id);
      await output.close?.();
    } catch (error) {
      io.stderr(`${(error as Error).message}\n`);
    }
  }
  return (queue) => {
    const output = takers.get(shardOfFolder(basename(queue.folder)).name);
    return { output, problem: output === undefined ? whyNot(loaded, queue) : undefined };
  };
}

function whyNot({ config }: LoadedRun, { identity }: QueueOnDisk): string {
  const none = "no output of the configuration takes this";
  const same = config.outputs.find(({ id }) => id === identity?.output);
  if (same === undefined || identity === undefined) return none;
  if (same.definition.name !== identity.plugin) {
    return `${none}: output "${same.id}" is of plugin ${same.definition.name} now`;
  }
  return outputStorage(same, config) === "filesystem"
    ? `${none}: output "${same.id}" sends another format now`
    : `${none}: output "${same.id}" keeps its queue in memory now`;
}

/** What an output says while it is made is no matter here: what makes it fail is thrown. */
function silentLog(): LogSink {
  return new LogSink({
    level: "off",
    format: "text",
    colours: false,
    write: () => undefined,
    now: () => new Date(),
    after: () => undefined,
  });
}
