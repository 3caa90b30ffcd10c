import { type CommandIo, EXIT } from "../command-io.ts";
import { parseQueueArguments } from "./arguments.ts";
import { queuesAt } from "./each-queue.ts";
import { inspectQueues } from "./inspect.ts";
import { verifyQueues } from "./verify.ts";

const HELP = `logcollector queue looks into the queues on disk, and changes nothing in them.

Usage
  logcollector queue inspect [--streams] [--json]
                                 what waits in each queue, and with -c whether an output takes it;
                                 --streams adds how far inputs got, --json prints one object a queue
  logcollector queue verify [--json]
                                 read all of it and compare checksums: what is damaged, and how many records
                                 that costs

Where they are
  -c, --config FILE      the collector's configuration says where
      --path FOLDER      the storage folder, its folder "queues", or one queue

Both may run while the collector does: what it is writing may look cut off then.
Exit status: 0 when all is well, 1 when something is damaged, 2 when a queue cannot be used, as it holds foreign
files or was written by a newer version, or when the command line or configuration is wrong.
`;

/** `logcollector queue …`. Throws UsageError. Gives the exit status. */
export async function queue(args: readonly string[], io: CommandIo): Promise<number> {
  const command = parseQueueArguments(args);
  if (command.name === "help") {
    io.stdout(HELP);
    return EXIT.ok;
  }
  const queues = await queuesAt(command.place, io);
  if (queues === undefined) return EXIT.usage;
  return command.name === "verify"
    ? verifyQueues(queues, command.json, io)
    : await inspectQueues(queues, command, io);
}
