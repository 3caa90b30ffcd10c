import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync } from "node:fs";
import { TempFolder } from "../support/temp-folder.ts";

/** Why no package can be made here; empty when one can. */
export const withoutDpkg: string = Bun.which("dpkg-deb") === null ? "dpkg-deb is missing" : "";

/** Makes a package, packed quickly, in a new folder, and returns its path. */
export function makePackage(
  folder: TempFolder,
  name: string,
  { version, umask = "022" }: { version: string; umask?: string },
): string {
  const out = folder.at(name);
  mkdirSync(out);
  const script = `umask ${umask}; exec "$0" scripts/package.ts "$@"`;
  const options = ["--compression", "gzip", "--level", "1", "--version", version, "--out", out];
  const { status, stderr } = spawnSync("sh", ["-c", script, process.execPath, ...options], {
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`scripts/package.ts ended with ${status}: ${stderr}`);
  return `${out}/${readdirSync(out).find((each) => each.endsWith(".deb"))}`;
}
