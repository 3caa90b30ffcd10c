import { constants, openSync } from "node:fs";

/** Opens without blocking, should the path have become a pipe since it was looked at. */
export function openForTail(path: string): number {
  return openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
}
