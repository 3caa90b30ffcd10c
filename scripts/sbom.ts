import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";

interface LockedPackage {
  readonly version: string;
  readonly license?: string;
  readonly integrity: string;
  readonly dev?: boolean;
  readonly optional?: boolean;
  readonly dependencies?: Readonly<Record<string, string>>;
}

interface Component {
  readonly type: "application" | "library" | "platform";
  readonly "bom-ref": string;
  readonly name: string;
  readonly version: string;
  readonly [property: string]: unknown;
}

/** A file that a release has, and the npm package with the runtime that it was made of. */
export interface ReleasedExecutable {
  readonly file: string;
  readonly sha256: string;
  readonly runtime: string;
}

/**
 * What the executables are made of, as CycloneDX 1.6: the npm packages that go into them and their runtime, from the lock
 * file. The same input makes the same text.
 */
export function softwareBillOfMaterials(
  executables: readonly ReleasedExecutable[],
  epochSec: number,
): string {
  const manifest = JSON.parse(readFileSync("package.json", "utf8"));
  const lock: Record<string, LockedPackage> =
    JSON.parse(readFileSync("package-lock.json", "utf8")).packages;
  const names = reachable(Object.keys(manifest.dependencies), lock);
  const runtimes = [...new Set(executables.map(({ runtime }) => runtime))].sort();
  const root = `pkg:generic/logcollector@${manifest.version}`;
  const direct = Object.keys(manifest.dependencies).sort();
  const bom = {
    $schema: "http://cyclonedx.org/schema/bom-1.6.schema.json",
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    version: 1,
    metadata: {
      timestamp: new Date(epochSec * 1000).toISOString(),
      component: {
        type: "application",
        "bom-ref": root,
        name: manifest.name,
        version: manifest.version,
        description: manifest.description,
        licenses: [{ license: { id: manifest.license } }],
        purl: root,
        components: executables.map(executableComponent),
      },
    },
    components: [
      ...names.map((name) => npmComponent(name, lock[`node_modules/${name}`]!, "library")),
      ...runtimes.map((name) => npmComponent(name, lock[`node_modules/${name}`]!, "platform")),
    ],
    dependencies: [
      { ref: root, dependsOn: [...direct, ...runtimes].map((name) => refOf(name, lock)) },
      ...names.map((name) => {
        const needs = Object.keys(lock[`node_modules/${name}`]!.dependencies ?? {});
        return { ref: refOf(name, lock), dependsOn: needs.sort().map((each) => refOf(each, lock)) };
      }),
      ...runtimes.map((name) => ({ ref: refOf(name, lock), dependsOn: [] })),
    ],
  };
  // Like a serial number by chance, and the same each time.
  const digest = createHash("sha256").update(JSON.stringify(bom)).digest("hex");
  return `${JSON.stringify({ ...bom, serialNumber: uuidOf(digest) }, null, 2)}\n`;
}

/** The packages and what they need, all of which npm has put side by side. Sorted. */
function reachable(
  names: readonly string[],
  lock: Readonly<Record<string, LockedPackage>>,
): string[] {
  const found = new Set<string>();
  const visit = (name: string): void => {
    if (found.has(name)) return;
    const locked = lock[`node_modules/${name}`];
    if (locked === undefined) {
      throw new Error(
        `Cannot list what the executable is made of: package-lock.json has no ${name}`,
      );
    }
    found.add(name);
    for (const need of Object.keys(locked.dependencies ?? {})) visit(need);
  };
  names.forEach(visit);
  return [...found].sort();
}

function npmComponent(
  name: string,
  { version, license, integrity }: LockedPackage,
  type: Component["type"],
): Component {
  const [scope, bare] = name.startsWith("@") ? name.split("/") as [string, string] : ["", name];
  const [algorithm, digest] = integrity.split(/-(.*)/s) as [string, string];
  return {
    type,
    "bom-ref": purlOf(name, version),
    ...(scope !== "" && { group: scope }),
    name: bare,
    version,
    hashes: [{
      alg: algorithm.replace("sha", "SHA-"),
      content: Buffer.from(digest, "base64").toString("hex"),
    }],
    licenses: license === undefined ? [] : [{ license: { id: license } }],
    purl: purlOf(name, version),
  };
}

function executableComponent({ file, sha256 }: ReleasedExecutable) {
  return {
    type: "file",
    "bom-ref": `file:${file}`,
    name: file,
    hashes: [{ alg: "SHA-256", content: sha256 }],
  };
}

function refOf(name: string, lock: Readonly<Record<string, LockedPackage>>): string {
  return purlOf(name, lock[`node_modules/${name}`]!.version);
}

function purlOf(name: string, version: string): string {
  return `pkg:npm/${name.replace("@", "%40")}@${version}`;
}

function uuidOf(hex: string): string {
  const variant = ((parseInt(hex[16]!, 16) & 0x3) | 0x8).toString(16);
  const parts = [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `5${hex.slice(13, 16)}`,
    `${variant}${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ];
  return `urn:uuid:${parts.join("-")}`;
}
