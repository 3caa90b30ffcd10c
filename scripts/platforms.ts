import type { CompileOptions } from "./compile.ts";
import { runtimeOf } from "./runtimes.ts";

/** Something that the executable is made for. */
export interface Platform {
  readonly name: string;
  readonly target: Bun.Build.CompileTarget;
  /** The npm package that has the runtime for it. */
  readonly runtime: string;
  /** Debian's name of the architecture, where there is a package for it. */
  readonly debian?: string;
}

export const PLATFORMS: readonly Platform[] = [
  { name: "linux-x64", target: "bun-linux-x64", runtime: "@oven/bun-linux-x64", debian: "amd64" },
  {
    name: "linux-arm64",
    target: "bun-linux-arm64",
    runtime: "@oven/bun-linux-aarch64",
    debian: "arm64",
  },
  { name: "linux-x64-musl", target: "bun-linux-x64-musl", runtime: "@oven/bun-linux-x64-musl" },
  {
    name: "linux-arm64-musl",
    target: "bun-linux-arm64-musl",
    runtime: "@oven/bun-linux-aarch64-musl",
  },
];

/** Throws when there is none of this name. */
export function platformOf(name: string): Platform {
  const found = PLATFORMS.find((platform) => platform.name === name);
  if (found !== undefined) return found;
  const names = PLATFORMS.map((platform) => platform.name).join(", ");
  throw new Error(`Cannot build for "${name}": expected one of ${names}`);
}

/** What `compile` needs for it; the runtime is fetched when it is not there. */
export async function compileOptions(platform: Platform, outfile: string): Promise<CompileOptions> {
  return { outfile, target: platform.target, executablePath: await runtimeOf(platform.runtime) };
}
