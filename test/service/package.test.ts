import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { TempFolder } from "../support/temp-folder.ts";
import { makePackage, withoutDpkg } from "./make-package.ts";

setDefaultTimeout(120_000);
if (withoutDpkg !== "") console.warn(`Skipping the tests of the package: ${withoutDpkg}`);

const folder = new TempFolder();
let file = "";
beforeAll(() => {
  if (withoutDpkg === "") file = makePackage(folder, "package", { version: "1.2.3" });
});
afterAll(() => folder[Symbol.dispose]());

function dpkgDeb(...args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync("dpkg-deb", args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`dpkg-deb ${args.join(" ")}: ${stderr}`);
  return stdout;
}

test.skipIf(withoutDpkg !== "")(
  "two packages of the same sources are the same, whatever the umask",
  () => {
    const other = makePackage(folder, "other", { version: "1.2.3", umask: "077" });
    expect(readFileSync(file).equals(readFileSync(other))).toBe(true);
  },
);

test.skipIf(withoutDpkg !== "")("the package holds what a service needs, all of it root's", () => {
  const lines = dpkgDeb("--contents", file).trimEnd().split("\n");
  const entries = lines.map((line) => {
    const [mode, owner, , , , path] = line.split(/\s+/);
    return { mode, owner, path: path! };
  });
  expect(new Set(entries.map(({ owner }) => owner))).toEqual(new Set(["root/root"]));
  const modes = new Set(entries.map(({ mode, path }) => path.endsWith("/") ? `d ${mode}` : mode));
  expect(modes).toEqual(new Set(["d drwxr-xr-x", "-rw-r--r--", "-rwxr-xr-x"]));
  const files = entries.filter(({ path }) => !path.endsWith("/"));
  expect(files.filter(({ mode }) => mode!.includes("x")).map(({ path }) => path)).toEqual([
    "./usr/bin/logcollector",
  ]);
  const docs = readdirSync("docs").map((name) => `./usr/share/doc/logcollector/${name}`);
  expect(files.map(({ path }) => path).sort()).toEqual([
    "./etc/logcollector/logcollector.yaml",
    "./usr/bin/logcollector",
    "./usr/lib/systemd/system/logcollector.service",
    "./usr/lib/sysusers.d/logcollector.conf",
    "./usr/share/doc/logcollector/changelog.gz",
    "./usr/share/doc/logcollector/copyright",
    ...docs,
  ].sort());
});

test.skipIf(withoutDpkg !== "")("the package says what it is", () => {
  const field = (name: string) => dpkgDeb("--field", file, name).trimEnd();
  expect([field("Package"), field("Version"), field("Section")]).toEqual([
    "logcollector",
    "1.2.3",
    "admin",
  ]);
  const kilobytes = statSync("dist/logcollector").size / 1024;
  expect(Number(field("Installed-Size"))).toBeGreaterThan(kilobytes);
  expect(Number(field("Installed-Size"))).toBeLessThan(kilobytes + 2000);
  // The synopsis begins small, is no sentence, and fits a line.
  expect(field("Description").split("\n")[0]).toMatch(/^log collector: .{20,66}[^.]$/);

  const out = folder.at("control-files");
  dpkgDeb("--control", file, out);
  expect(readdirSync(out).sort()).toEqual([
    "conffiles",
    "control",
    "md5sums",
    "postinst",
    "postrm",
    "prerm",
  ]);
  expect(readFileSync(`${out}/conffiles`, "utf8")).toBe("/etc/logcollector/logcollector.yaml\n");
  for (const script of ["postinst", "prerm", "postrm"]) {
    expect(readFileSync(`${out}/${script}`, "utf8")).toStartWith("#!/bin/sh\nset -e\n");
    expect(spawnSync("sh", ["-n", `${out}/${script}`]).status).toBe(0);
  }
});
