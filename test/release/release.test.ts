import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { Spec, Validation } from "@cyclonedx/cyclonedx-library";
import manifest from "../../package.json" with { type: "json" };
import { PLATFORMS } from "../../scripts/platforms.ts";
import { TempFolder } from "../support/temp-folder.ts";

setDefaultTimeout(600_000);

const folder = new TempFolder();
afterAll(() => folder[Symbol.dispose]());

interface Answer {
  readonly status: number;
  readonly output: string;
}

function run(args: readonly string[], env: Readonly<Record<string, string>> = {}): Answer {
  const { exitCode, stdout, stderr } = Bun.spawnSync([...args], {
    env: { ...process.env, ...env },
  });
  return { status: exitCode, output: `${stdout}${exitCode === 0 ? "" : stderr}` };
}

function release(out: string, ...options: readonly string[]): void {
  const { status, output } = run([
    ...[process.execPath, "scripts/release.ts", "--no-packages", "--out", out],
    ...options,
  ]);
  if (status !== 0) throw new Error(output);
}

const sumsOf = (out: string) =>
  new Map(
    readFileSync(join(out, "SHA256SUMS"), "utf8").trim().split("\n")
      .map((line) => line.split("  ").reverse() as [string, string]),
  );

/** Starts an executable by way of `via`, in a folder where it finds and leaves files under `seen`. */
function checkPipeline(via: readonly string[], logs: string, seen: string, env = {}): void {
  expect(run([...via, "--version"], env))
    .toEqual({ status: 0, output: `logcollector ${manifest.version}\n` });
  mkdirSync(logs, { recursive: true });
  writeFileSync(join(logs, "app.log"), '{"n":"1"}\n{"n":"2"}\n');
  const { status, output } = run([
    ...via,
    ...["-q", "-f", "0.05", "-i", "tail", "-p", `path=${seen}/app.log`, "-p", "read_from_head=on"],
    ...["-p", "parser=json", "-p", "exit_on_eof=on", "-p", `db=${seen}/positions`],
    ...["-F", "grep", "-m", "*", "-p", "regex=n ^[0-9]$"],
    ...["-o", "file", "-m", "*", "-p", `path=${seen}`, "-p", "file=out", "-p", "format=plain"],
  ], env);
  expect({ status, output }).toEqual({ status: 0, output: "" });
  expect(readFileSync(join(logs, "out"), "utf8")).toBe('{"n":"1"}\n{"n":"2"}\n');
}

describe("npm run release", () => {
  const out = folder.at("release");
  beforeAll(() => release(out));

  test("makes an executable for every platform, with checksums", () => {
    const bill = `logcollector-${manifest.version}.cdx.json`;
    const executables = [
      ...PLATFORMS.map(({ name }) => `logcollector-${name}`),
      ...["linux-x64", "linux-arm64"].map((name) => `logcollector-${name}-compact`),
    ];
    expect(readdirSync(out).sort()).toEqual(["SHA256SUMS", bill, ...executables].sort());
    const { status, output } = run(["sh", "-c", `cd ${out} && sha256sum -c SHA256SUMS`]);
    expect([status, output.match(/: OK$/gm)?.length]).toEqual([0, executables.length + 1]);
    const machine = (name: string) =>
      readFileSync(join(out, `logcollector-${name}`)).readUInt16LE(18);
    expect(PLATFORMS.map(({ name }) => machine(name))).toEqual([62, 183, 62, 183]);
  });

  test("makes the same bytes again", () => {
    const again = folder.at("again");
    release(again, "--platform", "linux-x64", "--platform", "linux-arm64-musl");
    const [first, second] = [sumsOf(out), sumsOf(again)];
    for (const name of ["logcollector-linux-x64", "logcollector-linux-arm64-musl"]) {
      expect(second.get(name)).toBe(first.get(name)!);
    }
  });

  test("lists what the executables are made of, as CycloneDX", async () => {
    const text = readFileSync(join(out, `logcollector-${manifest.version}.cdx.json`), "utf8");
    const validator = new Validation.JsonStrictValidator(Spec.Version.v1dot6);
    expect(await validator.validate(text)).toBeNull();
    const { components, metadata } = JSON.parse(text);
    const purls: string[] = components.map(({ purl }: { purl: string }) => purl);
    for (const [name, version] of Object.entries(manifest.dependencies)) {
      expect(purls).toContain(`pkg:npm/${name}@${version}`);
    }
    expect(purls).toContain(`pkg:npm/%40oven/bun-linux-x64@${manifest.devDependencies.bun}`);
    expect(purls.filter((purl) => /typescript|deno|fast-check/.test(purl))).toEqual([]);
    const sums = sumsOf(out);
    for (const { name, hashes } of metadata.component.components) {
      expect(hashes).toEqual([{ alg: "SHA-256", content: sums.get(name)! }]);
    }
  });

  test.skipIf(Bun.which("dpkg-deb") === null)("packages the executable for arm64", () => {
    const binary = join(out, "logcollector-linux-arm64");
    const { status, output } = run([
      ...[process.execPath, "scripts/package.ts", "--binary", binary, "--architecture", "arm64"],
      ...["--compression", "gzip", "--level", "1", "--out", folder.path],
    ]);
    expect([output, status]).toEqual(["", 0]);
    const file = folder.at(`logcollector_${manifest.version}_arm64.deb`);
    expect(run(["dpkg-deb", "--field", file, "Architecture"]).output).toBe("arm64\n");
    const packed = run([
      "sh",
      "-c",
      `dpkg-deb --fsys-tarfile ${file} |
      tar -xO ./usr/bin/logcollector | sha256sum`,
    ]);
    expect(packed.output).toStartWith(sumsOf(out).get("logcollector-linux-arm64")!);
  });

  const qemu = process.arch === "arm64" ? [] : ["qemu-aarch64-static"];
  const ARM_LIBRARIES = "/usr/aarch64-linux-gnu";
  const cannotRunArm = qemu.length > 0 &&
    (Bun.which(qemu[0]!) === null || !existsSync(`${ARM_LIBRARIES}/lib/libc.so.6`));
  if (cannotRunArm) {
    console.warn("Skipping the arm64 executable: scripts/install-image-tools.sh brings qemu");
  }
  test.skipIf(cannotRunArm)("the arm64 executable runs a pipeline", () => {
    const logs = folder.at("arm");
    const via = [...qemu, join(out, "logcollector-linux-arm64")];
    checkPipeline(via, logs, logs, { QEMU_LD_PREFIX: ARM_LIBRARIES });
  });

  const MUSL = "node_modules/.cache/musl-root";
  const cannotRunMusl = !existsSync(MUSL) || process.getuid?.() !== 0;
  if (cannotRunMusl) console.warn("Skipping the musl executable: see scripts/install-musl.sh");
  test.skipIf(cannotRunMusl)("the musl executable runs a pipeline where there is no glibc", () => {
    const root = folder.at("musl");
    cpSync(MUSL, root, { recursive: true, verbatimSymlinks: true });
    copyFileSync(join(out, "logcollector-linux-x64-musl"), join(root, "logcollector"));
    mkdirSync(join(root, "proc"));
    const inRoot = `mount -t proc proc ${root}/proc && exec chroot ${root} /logcollector "$@"`;
    const via = ["unshare", "--mount", "sh", "-c", inRoot, "sh"];
    checkPipeline(via, join(root, "logs"), "/logs");
  });
});
