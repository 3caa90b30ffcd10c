// Makes everything that a release has, in dist: executables for all platforms, Debian packages, a bill of materials,
// checksums. Run by Bun: `npm run release`. The same sources and the same commit make the same bytes.
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { compile, writeEmbedded } from "./compile.ts";
import { compileOptions, type Platform, platformOf, PLATFORMS } from "./platforms.ts";
import { type ReleasedExecutable, softwareBillOfMaterials } from "./sbom.ts";
import { sourceEpoch } from "./source-epoch.ts";

const { values: options } = parseArgs({
  options: {
    /** Only this one, such as linux-arm64; may be repeated. */
    platform: { type: "string", multiple: true },
    out: { type: "string", default: "dist" },
    "no-packages": { type: "boolean", default: false },
  },
});

const { version } = JSON.parse(readFileSync("package.json", "utf8"));
const epochSec = sourceEpoch();

try {
  const platforms = options.platform?.map(platformOf) ?? PLATFORMS;
  mkdirSync("dist/embedded", { recursive: true });
  mkdirSync(options.out, { recursive: true });
  await writeEmbedded();
  const files: string[] = [];
  const executables: ReleasedExecutable[] = [];
  for (const platform of platforms) {
    // Images are made for the platforms that packages are made for.
    for (const compact of platform.debian === undefined ? [false] : [false, true]) {
      const file = await makeExecutable(platform, compact);
      files.push(file);
      executables.push({ file, sha256: digestOf(file), runtime: platform.runtime });
    }
  }
  if (!options["no-packages"]) {
    for (const platform of platforms) files.push(...makePackage(platform));
  }
  const bill = `logcollector-${version}.cdx.json`;
  writeFileSync(join(options.out, bill), softwareBillOfMaterials(executables, epochSec));
  files.push(bill);
  const sums = files.sort().map((file) => `${digestOf(file)}  ${file}\n`).join("");
  writeFileSync(join(options.out, "SHA256SUMS"), sums);
  for (const file of files) {
    console.error(`${join(options.out, file)}: ${megabytes(join(options.out, file))}`);
  }
  console.error(`${join(options.out, "SHA256SUMS")}: check with sha256sum -c`);
} catch (error) {
  console.error(error instanceof AggregateError ? error : (error as Error).message);
  process.exit(1);
}

async function makeExecutable(platform: Platform, compact: boolean): Promise<string> {
  const file = `logcollector-${platform.name}${compact ? "-compact" : ""}`;
  await compile({ ...await compileOptions(platform, join(options.out, file)), compact });
  return file;
}

function makePackage({ name, debian }: Platform): string[] {
  if (debian === undefined) return [];
  const file = `logcollector_${version}_${debian}.deb`;
  rmSync(join(options.out, file), { force: true });
  const { exitCode } = Bun.spawnSync([
    ...[process.execPath, "scripts/package.ts", "--out", options.out],
    ...["--binary", join(options.out, `logcollector-${name}`), "--architecture", debian],
  ], {
    stdio: ["ignore", 2, 2],
    env: { ...process.env, SOURCE_DATE_EPOCH: String(epochSec) },
  });
  if (exitCode !== 0) throw new Error(`Cannot make ${file}`);
  return [file];
}

function digestOf(file: string): string {
  return createHash("sha256").update(readFileSync(join(options.out, file))).digest("hex");
}

function megabytes(path: string): string {
  return `${(statSync(path).size / 1e6).toFixed(1)} MB`;
}
