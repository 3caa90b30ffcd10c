import { formatProblem } from "../../config/problem.ts";
import type { RunCommand } from "../arguments.ts";
import type { CommandIo } from "../command-io.ts";
import { type LoadedRun, loadRun } from "../load-run.ts";

/** Loads the configuration of a collector for a command that looks after what it keeps. `undefined`: said why not. */
export async function loadConfiguration(
  path: string,
  io: CommandIo,
): Promise<LoadedRun | undefined> {
  const command: RunCommand = {
    name: "run",
    dryRun: true,
    configPath: path,
    noPlugins: false,
    commandLine: { service: [], plugins: { input: [], filter: [], output: [] } },
  };
  const loaded = await loadRun(command);
  if (!("errors" in loaded)) return loaded;
  for (const problem of loaded.errors) io.stderr(`${formatProblem(problem)}\n`);
  return undefined;
}
