// Makes a Debian package of dist/logcollector. Run by Bun: `npm run package`. The same sources make the same bytes.
// With --binary and --architecture: of another executable.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  chmodSync,
  existsSync,
  lutimesSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { sourceEpoch } from "./source-epoch.ts";

const ARCHITECTURES: Readonly<Record<string, string>> = { x64: "amd64", arm64: "arm64" };
const MAINTAINER = "The logcollector developers <developers@logcollector.invalid>";
const CONFIG = "etc/logcollector/logcollector.yaml";
const DOCS = "usr/share/doc/logcollector";
const FILES: Readonly<Record<string, string>> = {
  "usr/lib/systemd/system/logcollector.service": "config/systemd/logcollector.service",
  "usr/lib/sysusers.d/logcollector.conf": "config/systemd/logcollector.sysusers",
  [CONFIG]: "config/systemd/logcollector.yaml",
  [`${DOCS}/copyright`]: "scripts/debian/copyright",
};
const SCRIPTS = ["postinst", "prerm", "postrm"];

const { values: options } = parseArgs({
  options: {
    // For tests, which want another one than package.json's, and soon.
    version: { type: "string" },
    compression: { type: "string", default: "xz" },
    level: { type: "string", default: "6" },
    out: { type: "string", default: "dist" },
    binary: { type: "string", default: "dist/logcollector" },
    /** Debian's name of it. */
    architecture: { type: "string" },
  },
});

const version = options.version ?? JSON.parse(readFileSync("package.json", "utf8")).version;
const architecture = options.architecture ?? ARCHITECTURES[process.arch];
if (architecture === undefined) fail(`Cannot make a package for ${process.arch}`);
if (!existsSync(options.binary)) {
  fail(`Cannot make a package: ${options.binary} is missing, run "npm run build" before`);
}
const epochSec = sourceEpoch();
const name = `logcollector_${version}_${architecture}`;
const tree = join(options.out, `.${name}`);

rmSync(tree, { recursive: true, force: true });
try {
  makeTree();
  setTimes(tree);
  const file = join(options.out, `${name}.deb`);
  build(file);
  console.error(`${file}: ${(statSync(file).size / 1e6).toFixed(1)} MB`);
} finally {
  rmSync(tree, { recursive: true, force: true });
}

function makeTree(): void {
  put("usr/bin/logcollector", readFileSync(options.binary), 0o755);
  for (const [to, from] of Object.entries(FILES)) {
    put(to, readFileSync(from), statSync(from).mode & 0o100 ? 0o755 : 0o644);
  }
  for (const doc of readdirSync("docs")) put(`${DOCS}/${doc}`, readFileSync(`docs/${doc}`));
  put(`${DOCS}/changelog.gz`, Bun.gzipSync(Buffer.from(changelog()), { level: 9 }));
  const installed = filesIn(tree);
  const kilobytes = installed.reduce((sum, path) => sum + Math.ceil(statSync(path).size / 1024), 0);
  put("DEBIAN/control", control(kilobytes));
  put("DEBIAN/conffiles", `/${CONFIG}\n`);
  put("DEBIAN/md5sums", installed.map(md5Line).join(""));
  for (const script of SCRIPTS) {
    put(`DEBIAN/${script}`, readFileSync(`scripts/debian/${script}`), 0o755);
  }
}

function control(kilobytes: number): string {
  return `Package: logcollector
Version: ${version}
Section: admin
Priority: optional
Architecture: ${architecture}
Maintainer: ${MAINTAINER}
Installed-Size: ${kilobytes}
Depends: libc6 (>= 2.25), init-system-helpers (>= 1.54), passwd
Recommends: systemd
Description: log collector: files and the journal in, any destination out
 Collects log files and the systemd journal, shapes the records with filters,
 and delivers them to one or many destinations without losing any: what waits
 lies on disk, and positions move only when a record is safe.
 .
 It reads Fluent Bit's YAML and classic configuration, and plugins are plain
 TypeScript files. It is one executable without further dependencies.
`;
}

function changelog(): string {
  const date = new Date(epochSec * 1000).toUTCString().replace("GMT", "+0000");
  return `logcollector (${version}) unstable; urgency=medium

  * See the project's history.

 -- ${MAINTAINER}  ${date}
`;
}

function put(path: string, content: string | Uint8Array, mode = 0o644): void {
  const file = join(tree, path);
  makeFolder(dirname(file));
  writeFileSync(file, content);
  chmodSync(file, mode);
}

/** Whatever the umask is. */
function makeFolder(path: string): void {
  if (existsSync(path)) return;
  makeFolder(dirname(path));
  mkdirSync(path);
  chmodSync(path, 0o755);
}

function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name)).sort();
}

function md5Line(file: string): string {
  const digest = createHash("md5").update(readFileSync(file)).digest("hex");
  const path = file.slice(tree.length + 1);
  return path === CONFIG ? "" : `${digest}  ${path}\n`;
}

function setTimes(path: string): void {
  const stat = statSync(path);
  if (stat.isDirectory()) { for (const each of readdirSync(path)) setTimes(join(path, each)); }
  lutimesSync(path, epochSec, epochSec);
}

function build(file: string): void {
  const form = [`-Z${options.compression}`, `-z${options.level}`];
  const { status, error } = spawnSync(
    "dpkg-deb",
    ["--root-owner-group", ...form, "-b", tree, file],
    {
      stdio: ["ignore", "ignore", "inherit"],
      // One thread, since xz packs otherwise by how many there are.
      env: {
        ...process.env,
        SOURCE_DATE_EPOCH: String(epochSec),
        DPKG_DEB_THREADS_MAX: "1",
      },
    },
  );
  if (error) fail(`Cannot make a package: dpkg-deb does not run: ${error.message}`);
  if (status !== 0) fail(`Cannot make a package: dpkg-deb ended with ${status}`);
}

function fail(message: string): never {
  console.error(message);
  process.exit(1);
}
