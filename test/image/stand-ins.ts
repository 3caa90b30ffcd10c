import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { type Buildah, command } from "./buildah.ts";

/** What is made once, and stays until node_modules goes. */
export const CACHE: string = resolve("node_modules/.cache/image-tests");

/**
 * Local images under the names that the Dockerfile begins with, for a machine that reaches Debian's packages and no
 * registry: Debian as debootstrap unpacks it, and the same with the machine's Node.
 */
export function makeStandIns(buildah: Buildah): void {
  if (!buildah.has("debian:bookworm-slim")) buildah.commit("debian:bookworm-slim", debian());
  if (buildah.has("node:22-bookworm-slim")) return;
  const node = machinesNode();
  buildah.commit("node:22-bookworm-slim", debian(), node);
  rmSync(node, { recursive: true });
}

/** An archive of Debian's essential packages, unpacked and not set up: what is run of them needs no more. */
function debian(): string {
  const archive = join(CACHE, "bookworm.tar");
  if (existsSync(archive)) return archive;
  const folder = mkdtempSync(join(tmpdir(), "logcollector-debian-"));
  try {
    command(["debootstrap", "--foreign", "--variant=minbase", "bookworm", folder, mirror()]);
    const left = ["./dev", "./proc", "./debootstrap", "./var/cache", "./usr/share/doc"];
    mkdirSync(CACHE, { recursive: true });
    const exclude = left.map((path) => `--exclude=${path}`);
    command(["tar", "-C", folder, "-cf", `${archive}.part`, ...exclude, "."]);
    renameSync(`${archive}.part`, archive);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return archive;
}

/** Where the machine's own packages come from. */
function mirror(): string {
  const sites = command(["apt-get", "indextargets", "--format", "$(SITE) $(COMPONENT)"]);
  const site = /^(\S+\/debian) main$/m.exec(sites)?.[1];
  if (site === undefined) throw new Error(`Cannot find Debian's mirror among\n${sites}`);
  return site;
}

/** A folder with Node and npm, and with the user that every image has. */
function machinesNode(): string {
  const folder = mkdtempSync(join(tmpdir(), "logcollector-node-"));
  const real = (program: string) => command(["sh", "-c", `readlink -f "$(command -v ${program})"`]);
  mkdirSync(join(folder, "usr/bin"), { recursive: true });
  mkdirSync(join(folder, "usr/lib/node_modules"), { recursive: true });
  mkdirSync(join(folder, "etc"));
  command(["cp", real("node"), join(folder, "usr/bin/node")]);
  // …/npm/bin/npm-cli.js
  command(["cp", "-a", dirname(dirname(real("npm"))), join(folder, "usr/lib/node_modules/npm")]);
  command(["ln", "-s", "../lib/node_modules/npm/bin/npm-cli.js", join(folder, "usr/bin/npm")]);
  writeFileSync(join(folder, "etc/passwd"), "root:x:0:0:root:/root:/bin/bash\n");
  writeFileSync(join(folder, "etc/group"), "root:x:0:\n");
  return folder;
}

/** Mounts that let npm in the image work with the machine's settings and cache. */
export function npmVolumes(): string[] {
  const setting = (name: string) => command(["npm", "config", "get", name]);
  const user = setting("userconfig");
  const authorities = setting("cafile");
  const settings = join(CACHE, "npmrc");
  writeFileSync(
    settings,
    [
      existsSync(user) ? readFileSync(user, "utf8") : "",
      `registry=${setting("registry")}`,
      ...(existsSync(authorities) ? [`cafile=${authorities}`] : []),
      "",
    ].join("\n"),
    { mode: 0o600 },
  );
  const mounts = [
    `${settings}:/root/.npmrc:ro`,
    ...(existsSync(authorities) ? [`${authorities}:${authorities}:ro`] : []),
    `${setting("cache")}:/root/.npm`,
  ];
  return mounts.flatMap((mount) => ["--volume", mount]);
}
