import { cFunctions } from "./c-library.ts";

/** Whether a descriptor is one of a terminal. The runtime's own answer takes 5 ms: it loads its streams first. */
export function isTerminal(fd: number): boolean {
  try {
    const { isatty } = cFunctions({ isatty: { args: ["i32"], returns: "i32" } });
    return (isatty as (fd: number) => number)(fd) === 1;
  } catch {
    return (require("node:tty") as typeof import("node:tty")).isatty(fd);
  }
}
