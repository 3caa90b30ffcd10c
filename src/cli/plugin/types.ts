import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type CommandIo, EXIT } from "../command-io.ts";
import { readTypes } from "./embedded.ts";

/** The file that editors read. No plugin can have this name: a plugin's has no hyphen. */
export const TYPES_FILE = "logcollector-sdk.d.ts";

/** `logcollector plugin types`: writes the types for editors, in place of older ones. */
export async function writeTypes(folder: string, io: CommandIo): Promise<number> {
  const path = join(folder, TYPES_FILE);
  const verb = existsSync(path) ? "Updated" : "Wrote";
  try {
    mkdirSync(folder, { recursive: true });
    writeFileSync(path, await readTypes());
  } catch (error) {
    io.stderr(`logcollector: cannot write ${path}: ${(error as Error).message}\n`);
    return EXIT.failed;
  }
  io.stdout(`${verb} ${path}\n`);
  return EXIT.ok;
}
