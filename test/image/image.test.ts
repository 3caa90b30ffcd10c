import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { lstatSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import manifest from "../../package.json" with { type: "json" };
import { TempFolder } from "../support/temp-folder.ts";
import { Buildah, command } from "./buildah.ts";
import { Container } from "./container.ts";
import { CACHE, makeStandIns, npmVolumes } from "./stand-ins.ts";

setDefaultTimeout(600_000);

const MISSING = ["buildah", "debootstrap", "unshare", "nsenter", "setpriv", "ip"]
  .filter((program) => Bun.which(program) === null);
const CANNOT = process.getuid?.() !== 0
  ? "it takes root"
  : MISSING.length > 0
  ? `${MISSING.join(", ")} is missing: scripts/install-image-tools.sh`
  : undefined;
if (CANNOT !== undefined) console.warn(`Skipping the tests of the image: ${CANNOT}`);

const NONROOT = 65_532;
const IMAGE = "logcollector:test";
const PLATFORM = process.arch === "arm64" ? "linux-arm64" : "linux-x64";
const buildah = new Buildah(CACHE);
let root: string;

/** Builds the Dockerfile as it is. */
function build(image: string, ...args: readonly string[]): void {
  buildah.run(
    "build",
    ...["--isolation", "chroot", "--pull-never", "--format", "oci", "--timestamp", "1700000000"],
    ...["--build-arg", "SOURCE_DATE_EPOCH=1700000000", ...args, "--tag", image, "."],
  );
}

interface ImageConfig {
  readonly config: Readonly<Record<string, unknown>>;
  readonly rootfs: { readonly diff_ids: readonly string[] };
}

function configOf(image: string): ImageConfig {
  return JSON.parse(buildah.run("inspect", "--type", "image", image)).OCIv1;
}

/** All files and folders below, with their owners and permissions where they are not the usual ones. */
function tree(folder: string, at = ""): string[] {
  return readdirSync(join(folder, at)).sort().flatMap((name) => {
    const path = `${at}/${name}`;
    const stat = lstatSync(join(folder, path));
    if (stat.isDirectory()) {
      const own = stat.uid === 0 ? "" : ` ${stat.uid}:${stat.gid}`;
      return [`${path}/${own}`, ...tree(folder, path)];
    }
    return [(stat.mode & 0o111) !== 0 && stat.isFile() ? `${path} x` : path];
  });
}

describe.skipIf(CANNOT !== undefined)("the container image", () => {
  beforeAll(() => {
    mkdirSync(CACHE, { recursive: true });
    makeStandIns(buildah);
    buildah.run("rm", "--all");
    build(IMAGE, ...npmVolumes());
    root = buildah.mount(IMAGE);
  });
  afterAll(() => {
    buildah.run("rm", "--all");
    for (const image of [IMAGE, "logcollector:prebuilt", "logcollector:script"]) {
      if (buildah.has(image)) buildah.run("rmi", "--force", image);
    }
    // What failed builds left.
    buildah.run("rmi", "--prune");
  });

  test("holds one executable, the C library, and what names people and authorities", () => {
    const loader = process.arch === "arm64" ? "ld-linux-aarch64.so.1" : "ld-linux-x86-64.so.2";
    const files = tree(root);
    expect(files).toEqual([
      ...["/etc/", "/etc/group", "/etc/logcollector/", "/etc/logcollector/logcollector.yaml"],
      ...["/etc/logcollector/plugins/", "/etc/nsswitch.conf", "/etc/passwd"],
      ...["/etc/ssl/", "/etc/ssl/certs/", "/etc/ssl/certs/ca-certificates.crt"],
      ...["/lib", "/lib64", "/usr/", "/usr/bin/", "/usr/bin/logcollector x", "/usr/lib/"],
      ...[`/usr/lib/${loader} x`, "/usr/lib/libc.so.6 x", "/usr/lib/libdl.so.2"],
      ...["/usr/lib/libm.so.6", "/usr/lib/libpthread.so.0", "/usr/lib/libresolv.so.2"],
      ...["/usr/share/", "/usr/share/doc/", "/usr/share/doc/logcollector/"],
      ...["/usr/share/doc/logcollector/copyright", "/var/", "/var/lib/"],
      `/var/lib/logcollector/ ${NONROOT}:${NONROOT}`,
    ]);
  });

  test("is at most 125 MB, and 55 MB as gzip packs it", () => {
    const bytes = tree(root).map((line) => lstatSync(join(root, line.split(" ")[0]!)))
      .reduce((sum, stat) => sum + (stat.isFile() ? stat.size : 0), 0);
    const packed = (packer: string) =>
      Number(command(["bash", "-c", `tar -C ${root} -c . | ${packer} | wc -c`]));
    const [gzip, zstd] = [packed("gzip -6"), packed("zstd -q -3")];
    const mb = (size: number) => `${(size / 1e6).toFixed(1)} MB`;
    console.info(`Image: ${mb(bytes)}; gzip ${mb(gzip)}; zstd ${mb(zstd)}`);
    expect(bytes).toBeLessThanOrEqual(125e6);
    expect(gzip).toBeLessThanOrEqual(55e6);
    expect(zstd).toBeLessThanOrEqual(55e6);
  });

  test("says what it is and how it starts", () => {
    const { config } = configOf(IMAGE);
    expect(config).toMatchObject({
      Entrypoint: ["/usr/bin/logcollector"],
      Cmd: ["-c", "/etc/logcollector/logcollector.yaml"],
      Volumes: { "/var/lib/logcollector": {} },
      Labels: {
        "org.opencontainers.image.title": "logcollector",
        "org.opencontainers.image.description": manifest.description,
        "org.opencontainers.image.licenses": manifest.license,
        "org.opencontainers.image.version": manifest.version,
      },
    });
    expect(config).not.toHaveProperty("Healthcheck");
  });

  for (const uid of [NONROOT, 0]) {
    test(`reads, delivers and answers probes as user ${uid}, with a root file system that is read-only`, async () => {
      await using container = new Container(root, uid, [
        "-c",
        "/etc/logcollector/logcollector.yaml",
      ]);
      await container.started();
      const { collector } = container;
      writeFileSync(container.log("app.log"), "one\ntwo\n");
      await collector.untilRecords(2);
      expect(collector.records).toMatchObject([
        { log: "one", file: "/var/log/app.log", host: expect.any(String) },
        { log: "two", file: "/var/log/app.log" },
      ]);
      expect(container.exec(uid, ["/usr/bin/logcollector", "health"]))
        .toEqual({ status: 0, output: "ok\n" });
      expect(container.exec(uid, ["/usr/bin/logcollector", "health", "--live"]))
        .toEqual({ status: 0, output: "ok\n" });
      const other = container.exec(uid, ["/usr/bin/logcollector", "health", "--port", "1"]);
      expect(other).toMatchObject({ status: 1, output: expect.stringContaining("refused") });
      expect(container.exec(uid, ["/bin/sh", "-c", "true"]).status).not.toBe(0);
      const status = readFileSync(`/proc/${container.pid}/status`, "utf8");
      expect(status).toMatch(new RegExp(`^Uid:\\s${uid}\\s`, "m"));
      expect(status).toMatch(/^NoNewPrivs:\s1$/m);
      if (uid !== 0) expect(status).toMatch(/^CapEff:\s0+$/m);
      const mounts = readFileSync(`/proc/${container.pid}/mountinfo`, "utf8");
      expect(mounts).toMatch(/^\S+ \S+ \S+ \S+ \/ ro[, ]/m);
      expect(await container.stop()).toBe(0);
    });
  }

  test("finds names in /etc/hosts", async () => {
    await using container = new Container(root, NONROOT, [
      ...["-H", "-i", "dummy", "-o", "http", "-m", "*", "-p", "host=sink.test", "-p", "port=1"],
    ]);
    await container.started();
    await container.collector.untilLog(/Cannot deliver .*(refused|REFUSED)/);
    expect(container.collector.stderr).not.toMatch(/ENOTFOUND|EAI_AGAIN/);
    await container.stop();
  });

  test("is the same, bit for bit, with the executable that a release has", () => {
    const binary = `dist/logcollector-${PLATFORM}-compact`;
    command([
      ...[process.execPath, "scripts/build.ts", "--compact"],
      ...["--platform", PLATFORM, "--outfile", binary],
    ]);
    build("logcollector:prebuilt", "--build-arg", `BINARY=${binary}`);
    expect(configOf("logcollector:prebuilt").rootfs).toEqual(configOf(IMAGE).rootfs);
  });

  test("is built, labelled and measured by scripts/image.ts, whatever else is installed", () => {
    using folder = new TempFolder();
    const program = (name: string, text: string) =>
      writeFileSync(folder.at(name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
    // A client without an engine, and this test's own place for images.
    program("docker", "echo 'Cannot connect to the Docker daemon' >&2; exit 1");
    program("podman", "exit 125");
    program("buildah", `exec ${Bun.which("buildah")} ${buildah.options.join(" ")} "$@"`);
    const tag = "logcollector:script";
    const { exitCode, stderr } = Bun.spawnSync([
      ...[process.execPath, "scripts/image.ts", "--tag", tag],
      ...["--prebuilt", `dist/logcollector-${PLATFORM}-compact`],
    ], {
      env: {
        ...process.env,
        PATH: `${folder.path}:${process.env.PATH}`,
        BUILDAH_ISOLATION: "chroot",
        SOURCE_DATE_EPOCH: "1700000000",
      },
    });
    expect([`${stderr}`, exitCode]).toEqual([expect.any(String), 0]);
    expect(`${stderr}`).toContain(`Building ${tag} with buildah`);
    expect(`${stderr}`).toMatch(/: 1\d\d\.\d MB on disk, 5\d\.\d MB packed with gzip/);
    const { config, rootfs } = configOf(tag);
    expect(config.Labels).toMatchObject({
      "org.opencontainers.image.revision": command(["git", "rev-parse", "HEAD"]),
      "org.opencontainers.image.created": "2023-11-14T22:13:20Z",
    });
    expect(rootfs).toEqual(configOf(IMAGE).rootfs);
  });
});
