import { expect, setDefaultTimeout, test } from "bun:test";
import { spawnSync } from "node:child_process";
import {
  appendFileSync,
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { TempFolder } from "../support/temp-folder.ts";

setDefaultTimeout(60_000);

const without = Bun.which("systemctl") === null
  ? "systemctl is missing"
  : process.getuid?.() === 0
  ? ""
  : "it takes root";
if (without !== "") console.warn(`Skipping the tests of scripts/install.sh: ${without}`);

const CONFIG = "etc/logcollector/logcollector.yaml";
const LINK = "etc/systemd/system/multi-user.target.wants/logcollector.service";

function install(...args: readonly string[]) {
  const { status, stdout, stderr } = spawnSync("scripts/install.sh", args, { encoding: "utf8" });
  return { status, stdout, stderr };
}

/** An executable that is quickly copied. */
function program(folder: TempFolder, text = "one"): string {
  writeFileSync(folder.at("program"), `#!/bin/sh\necho ${text}\n`, { mode: 0o755 });
  return folder.at("program");
}

const filesIn = (root: string): string[] =>
  readdirSync(root, { recursive: true, encoding: "utf8" })
    .filter((path) => !lstatSync(`${root}/${path}`).isDirectory()).sort();
/** What making a user leaves: the user's own lines are looked at. */
const isAccounts = (path: string) =>
  /^etc\/(\.pwd\.lock|(passwd|group|shadow|gshadow)-?)$/.test(path);

test.skipIf(without !== "")("install.sh installs the service into another tree", () => {
  using folder = new TempFolder();
  using root = new TempFolder();
  const { status, stdout } = install("--root", root.path, "--binary", program(folder));
  expect(status).toBe(0);
  expect(stdout).toContain("The service starts with the machine.");
  expect(filesIn(root.path).filter((path) => !isAccounts(path))).toEqual([
    CONFIG,
    LINK,
    "usr/local/bin/logcollector",
    "usr/local/lib/systemd/system/logcollector.service",
    "usr/local/lib/sysusers.d/logcollector.conf",
    "usr/local/share/doc/logcollector/service.md",
  ]);
  expect(readFileSync(root.at("etc/passwd"), "utf8")).toMatch(/^logcollector:/m);
  const unit = readFileSync(root.at("usr/local/lib/systemd/system/logcollector.service"), "utf8");
  expect(unit).toMatch(/^ExecStart=\/usr\/local\/bin\/logcollector -c /m);
  expect(statSync(root.at("usr/local/bin/logcollector")).mode & 0o7777).toBe(0o755);
  expect(statSync(root.at(CONFIG)).mode & 0o7777).toBe(0o644);
});

test.skipIf(without !== "")(
  "install.sh brings what changed up to date, and keeps the configuration",
  () => {
    using folder = new TempFolder();
    using root = new TempFolder();
    const args = ["--root", root.path, "--prefix", "/opt/lc", "--binary"];
    expect(install(...args, program(folder)).status).toBe(0);
    appendFileSync(root.at(CONFIG), "# mine\n");
    const again = install(...args, program(folder));
    expect([again.status, again.stdout]).toEqual([0, expect.not.stringContaining("Installed")]);
    const update = install(...args, program(folder, "two"));
    expect(update.stdout).toEndWith("The service is up to date.\n");
    expect(update.stdout.match(/^(Installed|Kept) .*/mg)).toEqual([
      `Installed ${root.at("opt/lc/bin/logcollector")}`,
      `Kept ${root.at(CONFIG)}`,
    ]);
    expect(readFileSync(root.at("opt/lc/bin/logcollector"), "utf8")).toContain("two");
    expect(readFileSync(root.at(CONFIG), "utf8")).toEndWith("# mine\n");
    // Where systemd looks for it, and not under the prefix.
    expect(existsSync(root.at("etc/systemd/system/logcollector.service"))).toBe(true);
    expect(install("--root", root.path, "--prefix", "/opt/lc", "--purge").status).toBe(0);
    expect(filesIn(root.path).filter((path) => !isAccounts(path))).toEqual([]);
  },
);

test.skipIf(without !== "")("install.sh takes the service away, and with --purge all of it", () => {
  using folder = new TempFolder();
  using root = new TempFolder();
  install("--root", root.path, "--binary", program(folder));
  spawnSync("mkdir", ["-p", root.at("var/lib/logcollector/queues")]);
  expect(install("--root", root.path, "--uninstall").stdout).toContain("--purge takes them away");
  expect(filesIn(root.path).filter((path) => !isAccounts(path))).toEqual([CONFIG]);
  expect(existsSync(root.at("var/lib/logcollector/queues"))).toBe(true);
  expect(install("--root", root.path, "--purge").status).toBe(0);
  expect(filesIn(root.path).filter((path) => !isAccounts(path))).toEqual([]);
  expect(existsSync(root.at("var/lib/logcollector"))).toBe(false);
  expect(readFileSync(root.at("etc/passwd"), "utf8")).not.toContain("logcollector");
  // Nothing is there any more, and that is no mistake.
  expect(install("--root", root.path, "--purge").status).toBe(0);
});

test.skipIf(without !== "")("install.sh enables nothing with --no-start", () => {
  using folder = new TempFolder();
  using root = new TempFolder();
  const { stdout } = install("--root", root.path, "--no-start", "--binary", program(folder));
  expect(stdout).toContain("Not started.");
  expect(existsSync(root.at(LINK))).toBe(false);
});

test.skipIf(without !== "")("install.sh says what is wrong", () => {
  using root = new TempFolder();
  const wrong: readonly (readonly [readonly string[], string])[] = [
    [["--root", root.at("none")], `cannot install into ${root.at("none")}: it is not a folder`],
    [["--root", root.path, "--binary", root.at("none")], `cannot install ${root.at("none")}`],
    [["--root"], "--root needs a value"],
    [["--prefix", "opt"], '--prefix must be an absolute path, got "opt"'],
    [["--rot", "x"], "unknown option --rot"],
  ];
  for (const [args, message] of wrong) {
    const { status, stderr } = install(...args);
    expect([status, stderr]).toEqual([1, expect.stringContaining(message)]);
  }
  expect(filesIn(root.path)).toEqual([]);
});
