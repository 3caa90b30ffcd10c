// Builds the container image with docker, podman or buildah, whichever works here. Run by Bun: `npm run image`.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { sourceEpoch } from "./source-epoch.ts";

const { values: options } = parseArgs({
  options: {
    /** Such as linux/arm64; by default the machine's own. */
    platform: { type: "string" },
    /** An executable that is there already, below dist. */
    prebuilt: { type: "string" },
    tag: { type: "string" },
    /** One of ENGINES, in place of the first that works. */
    engine: { type: "string" },
  },
});

interface Engine {
  readonly name: string;
  /** Ends well where images can be built: a client alone is not enough. */
  readonly works: readonly string[];
  readonly build: readonly string[];
  /** Writes the image to a file, with its layers as they lie on the disk. */
  save(tag: string, file: string): readonly string[];
}

const epochSec = sourceEpoch();
const archive = (tag: string, file: string) => ["push", "--quiet", tag, `docker-archive:${file}`];
const ENGINES: readonly Engine[] = [
  {
    name: "docker",
    works: ["version", "--format", "{{.Server.Version}}"],
    build: ["build"],
    save: (tag, file) => ["save", "--output", file, tag],
  },
  {
    name: "podman",
    works: ["info", "--format", "{{.Host.OS}}"],
    build: ["build", "--timestamp", String(epochSec)],
    save: (tag, file) => ["save", "--quiet", "--format", "docker-archive", "--output", file, tag],
  },
  {
    name: "buildah",
    works: ["info"],
    build: ["build", "--timestamp", String(epochSec)],
    save: archive,
  },
];

const { version } = JSON.parse(readFileSync("package.json", "utf8"));
const tag = options.tag ?? `logcollector:${version}`;
const engine = findEngine();
console.error(`Building ${tag} with ${engine.name} …`);
run(engine, [...engine.build, ...buildArguments(), "--tag", tag, "."]);
const { diskBytes, gzipBytes, zstdBytes } = measure(engine);
const mb = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;
const packed = zstdBytes === undefined ? "" : `, ${mb(zstdBytes)} with zstd`;
console.error(`${tag}: ${mb(diskBytes)} on disk, ${mb(gzipBytes)} packed with gzip${packed}`);

function findEngine(): Engine {
  const reasons: string[] = [];
  for (const engine of ENGINES) {
    if (options.engine !== undefined && options.engine !== engine.name) continue;
    const { status, error, stderr } = spawnSync(engine.name, engine.works, { encoding: "utf8" });
    if (status === 0) return engine;
    const reason = error === undefined ? stderr.trim().split("\n").at(-1) : "not installed";
    reasons.push(`  ${engine.name}: ${reason}`);
  }
  if (reasons.length === 0) reasons.push(`  ${options.engine}: expected docker, podman or buildah`);
  return fail(`Cannot build an image, nothing works that could:\n${reasons.join("\n")}`);
}

function buildArguments(): string[] {
  const { status, stdout } = spawnSync("git", ["rev-parse", "HEAD"], { encoding: "utf8" });
  const values = {
    VERSION: version,
    REVISION: status === 0 ? stdout.trim() : "",
    CREATED: new Date(epochSec * 1000).toISOString().replace(".000Z", "Z"),
    SOURCE_DATE_EPOCH: String(epochSec),
    ...(options.prebuilt !== undefined && { BINARY: options.prebuilt }),
  };
  return [
    ...Object.entries(values).flatMap(([name, value]) => ["--build-arg", `${name}=${value}`]),
    ...(options.platform === undefined ? [] : ["--platform", options.platform]),
  ];
}

/** What the image takes on a disk, and on its way to and from a registry. */
function measure(engine: Engine) {
  const folder = mkdtempSync(join(tmpdir(), "logcollector-image-"));
  try {
    const file = join(folder, "image.tar");
    run(engine, engine.save(tag, file));
    return {
      diskBytes: statSync(file).size,
      gzipBytes: packedBytes(["gzip", "-6", "-c", file]) ?? NaN,
      zstdBytes: packedBytes(["zstd", "-q", "-3", "-c", file]),
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function packedBytes([program, ...args]: readonly string[]): number | undefined {
  const { status, stdout } = spawnSync(program!, args, { maxBuffer: 1e9 });
  return status === 0 ? stdout.length : undefined;
}

function run(engine: Engine, args: readonly string[]): void {
  const { status } = spawnSync(engine.name, args, {
    stdio: ["ignore", 2, 2],
    env: { ...process.env, SOURCE_DATE_EPOCH: String(epochSec), DOCKER_BUILDKIT: "1" },
  });
  if (status !== 0) fail(`Cannot build ${tag}: ${engine.name} ended with ${status}`);
}

function fail(message: string): never {
  console.error(message);
  process.exit(1);
}
