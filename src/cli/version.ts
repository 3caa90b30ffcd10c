import manifest from "../../package.json" with { type: "json" };
import { type CommandIo, EXIT } from "./command-io.ts";

export const VERSION: string = manifest.version;

/** `logcollector --version` */
export function version(io: CommandIo): number {
  io.stdout(`logcollector ${VERSION}\n`);
  return EXIT.ok;
}
