import type { FFIFunction } from "bun:ffi";

/** Names of the C library: glibc's, and musl's by architecture. */
const NAMES = ["libc.so.6", "libc.musl-x86_64.so.1", "libc.musl-aarch64.so.1"];

type Signatures = Readonly<Record<string, FFIFunction>>;
export type CFunctions<S extends Signatures> = {
  readonly [N in keyof S]: (...args: never) => number;
};

/** Functions of the C library that the runtime does not offer. Throws where they are not to be had. */
export function cFunctions<S extends Signatures>(signatures: S): CFunctions<S> {
  // Loaded when it is asked for: most configurations need none of it.
  const { dlopen } = require("bun:ffi") as typeof import("bun:ffi");
  let failure: unknown;
  for (const name of NAMES) {
    try {
      return dlopen(name, signatures).symbols as CFunctions<S>;
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}
