import { realpathSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { messageWithPlace, noteUserFolder } from "../lib/error-place.ts";
import { registerHostModules } from "./host-modules.ts";

/** A module must have been evaluated in this time. */
const LOAD_MS = 10_000;

/** Imports a file of the user's. Throws an Error that says what is wrong and where. */
export async function importPlugin(path: string): Promise<Readonly<Record<string, unknown>>> {
  registerHostModules();
  // What a link leads to is a module of its own: after the link was changed it is another one.
  const file = realpathSync(resolve(path));
  noteUserFolder(dirname(file));
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(
    () =>
      late.reject(
        new Error(
          `it has not finished loading after ${
            LOAD_MS / 1000
          } s: is there an "await" at the top that never ends?`,
        ),
      ),
    LOAD_MS,
  );
  try {
    return await Promise.race([import(file), late.promise]);
  } catch (error) {
    throw new Error(`${messageWithPlace(error)}${adviceFor(error)}`, { cause: error });
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Makes the next import of the user's files read them again, also those that a plugin imports. What runs
 * already keeps the modules that it has.
 */
export function forgetUserModules(folder: string): void {
  const below = folder.endsWith("/") ? folder : `${folder}/`;
  for (const path of Object.keys(require.cache)) {
    if (path.startsWith(below)) delete require.cache[path];
  }
}

function adviceFor(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const missing = /Export named '(.+)' not found in module 'logcollector\/plugin'/.exec(message);
  if (missing) return `: logcollector/plugin of this version has no ${missing[1]}`;
  if (/Cannot find package/.test(message)) {
    return `: install it into a node_modules folder beside the plugin`;
  }
  return "";
}
