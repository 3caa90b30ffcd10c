import { EXIT } from "../command-io.ts";
import { parseDlqArguments } from "./arguments.ts";
import { dropDeadLetters } from "./drop.ts";
import { letterFolder } from "./letter-folder.ts";
import { listDeadLetters } from "./list.ts";
import { replayDeadLetters, type ReplayIo } from "./replay.ts";
import { type DlqIo, showDeadLetter } from "./show.ts";

const HELP =
  `logcollector dlq looks after dead letters: what a destination refused for good, or what ran out of retries.

Usage
  logcollector dlq list [--output ID] [--json]
                                 list them, the oldest first; --json prints one object a line
  logcollector dlq show ID [--raw]
                                 show one with its payload; --raw writes the payload's bytes and nothing else
  logcollector dlq replay ID...|--all [--output ID] [--to ID]
                                 send them again to their outputs, or with --to to another of the same plugin;
                                 a letter is removed once it has arrived
  logcollector dlq drop ID...|--all [--output ID] [--older-than 7d]
                                 remove them for good

Where they are
  -c, --config FILE      the collector's configuration says where; replay needs it for the outputs
      --path FOLDER      the folder itself, or the storage folder

All of these work while the collector runs. Run them as the user that it runs as.
Exit status: 0 when all went well, 1 when something is left or missing, 2 when the command line or configuration is wrong.
`;

/** `logcollector dlq …`. Throws UsageError. Gives the exit status. */
export async function dlq(args: readonly string[], io: DlqIo & ReplayIo): Promise<number> {
  const command = parseDlqArguments(args);
  if (command.name === "help") {
    io.stdout(HELP);
    return EXIT.ok;
  }
  if (command.name === "replay") return await replayDeadLetters(command, io);
  const folder = await letterFolder(command.place, io);
  if (folder === undefined) return EXIT.usage;
  try {
    switch (command.name) {
      case "list":
        return listDeadLetters(folder, command.choice, command.json, io);
      case "show":
        return await showDeadLetter(folder, command.id, command.raw, io);
      case "drop":
        return await dropDeadLetters(folder, command.choice, io);
    }
  } catch (error) {
    io.stderr(`logcollector: ${(error as Error).message}\n`);
    return EXIT.failed;
  }
}
