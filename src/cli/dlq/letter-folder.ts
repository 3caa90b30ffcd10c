import { resolve } from "node:path";
import { listLetters } from "../../buffer/dead-letters/letter-folder.ts";
import { systemDiskFiles } from "../../buffer/disk/files.ts";
import type { ServiceOptions } from "../../config/service-options.ts";
import { deadLetterFolder } from "../../config/storage.ts";
import type { CommandIo } from "../command-io.ts";
import type { LetterPlace } from "./arguments.ts";
import { loadConfiguration } from "./load-configuration.ts";

/** The folder of dead letters that the user means. `undefined` when there is none, which was said then. */
export async function letterFolder(
  { configPath, path }: LetterPlace,
  io: CommandIo,
): Promise<string | undefined> {
  if (path !== undefined) return namedFolder(resolve(path), io);
  const loaded = await loadConfiguration(configPath!, io);
  if (loaded !== undefined) return configuredFolder(configPath!, loaded.config.service, io);
  io.stderr("The folder of dead letters can also be given with --path, in place of -c\n");
  return undefined;
}

/** The folder that a configuration names, whether it is there or not. */
export function configuredFolder(
  configPath: string,
  service: ServiceOptions,
  io: CommandIo,
): string | undefined {
  const folder = deadLetterFolder(service);
  if (folder === undefined) {
    io.stderr(
      `logcollector: ${configPath} keeps no dead letters: its service has no storage.path\n`,
    );
  }
  return folder;
}

/** The folder itself, or that of the dead letters in a storage folder. */
function namedFolder(path: string, io: CommandIo): string | undefined {
  const facts = systemDiskFiles.facts(path);
  if (facts === undefined) {
    io.stderr(`logcollector: there is no folder ${path}\n`);
    return undefined;
  }
  const usual = `${path}/rejected`;
  if (facts.kind === "folder" && systemDiskFiles.facts(usual)?.kind === "folder") {
    if (listLetters(systemDiskFiles, path).letters.length === 0) return usual;
  }
  return path;
}
