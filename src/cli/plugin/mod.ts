import { type CommandIo, EXIT } from "../command-io.ts";
import { parsePluginArguments } from "./arguments.ts";
import { checkPlugins } from "./check.ts";
import { listPlugins } from "./list.ts";
import { newPlugin } from "./new.ts";
import { testPlugins } from "./run-tests.ts";
import { writeTypes } from "./types.ts";

const HELP = `logcollector plugin makes, tests and checks plugins of your own.

Usage
  logcollector plugin new input|filter|output|parser NAME [--dir DIR]
                                 write a plugin, its test and a configuration that run at once
  logcollector plugin test [PATH]...
                                 run the tests in a folder (this one) or file: names end in .test.ts
  logcollector plugin check PATH...
                                 load the plugins in a file or folder; show their options and problems
  logcollector plugin list [-c config.yaml]
                                 list all plugins, with those that a configuration loads
  logcollector plugin types [--dir DIR]
                                 write the types for editors again, after an update of logcollector

A plugin is one TypeScript file. Nothing else has to be installed: this program loads it, tests it and runs it.
`;

/** `logcollector plugin …`. Throws UsageError. Gives the exit status. */
export async function plugin(args: readonly string[], io: CommandIo): Promise<number> {
  const command = parsePluginArguments(args);
  switch (command.name) {
    case "new":
      return await newPlugin(command, io);
    case "test":
      return await testPlugins(command.paths, io);
    case "check":
      return await checkPlugins(command.paths, io);
    case "list":
      return await listPlugins(command.configPath, io);
    case "types":
      return await writeTypes(command.folder, io);
    case "help":
      io.stdout(HELP);
      return EXIT.ok;
  }
}
