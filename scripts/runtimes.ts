import { createHash } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";

const CACHE = "node_modules/.cache/bun-runtimes";

interface LockedPackage {
  readonly version: string;
  readonly integrity: string;
}

/**
 * The runtime of another platform, from npm: the package that the lock file names, with the bytes that it names. Returns
 * the path of the executable. Throws when it cannot be had.
 */
export async function runtimeOf(packageName: string): Promise<string> {
  const { version, integrity } = lockedPackage(packageName);
  const folder = join(CACHE, `${packageName.replaceAll(/[@/]+/g, "-").slice(1)}-${version}`);
  const executable = join(folder, "bun");
  if (existsSync(executable)) return executable;
  console.error(`Fetching ${packageName} ${version} …`);
  const work = `${folder}.${process.pid}`;
  rmSync(work, { recursive: true, force: true });
  mkdirSync(work, { recursive: true });
  try {
    const archive = join(work, fetchPackage(`${packageName}@${version}`, work));
    checkIntegrity(archive, integrity, packageName);
    run(["tar", "-xzf", archive, "-C", work, "--strip-components=2", "package/bin/bun"]);
    rmSync(archive);
    chmodSync(join(work, "bun"), 0o755);
    // Whole or not at all, whoever else is at it.
    if (!existsSync(executable)) renameSync(work, folder);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return executable;
}

/** What the lock file says about a package that only other machines install. */
export function lockedPackage(packageName: string): LockedPackage {
  const lock = JSON.parse(readFileSync("package-lock.json", "utf8"));
  const found: LockedPackage | undefined = lock.packages[`node_modules/${packageName}`];
  if (found === undefined) {
    throw new Error(`Cannot fetch ${packageName}: package-lock.json does not name it`);
  }
  return found;
}

/** Returns the name of the archive. */
function fetchPackage(spec: string, folder: string): string {
  const output = run(["npm", "pack", spec, "--json", "--pack-destination", folder]);
  const [{ filename }] = JSON.parse(output);
  return filename;
}

function checkIntegrity(path: string, integrity: string, packageName: string): void {
  const [algorithm, wanted] = integrity.split(/-(.*)/s) as [string, string];
  const digest = createHash(algorithm).update(readFileSync(path)).digest("base64");
  if (digest !== wanted) {
    throw new Error(
      `Cannot use ${packageName}: its ${algorithm} is ${digest}, and package-lock.json says ${wanted}`,
    );
  }
}

function run(command: readonly string[]): string {
  const { exitCode, stdout } = Bun.spawnSync([...command], { stderr: "inherit" });
  if (exitCode !== 0) throw new Error(`Cannot run ${command.join(" ")}: it ended with ${exitCode}`);
  return stdout.toString();
}
