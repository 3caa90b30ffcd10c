import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readFailure, systemFiles } from "../../src/config/files.ts";

let folder = "";

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "config-files-"));
  mkdirSync(join(folder, "conf.d", "deep"), { recursive: true });
  for (const name of ["b.yaml", "a.yaml", "c.txt", "deep/d.yaml"]) {
    writeFileSync(join(folder, "conf.d", name), name);
  }
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("systemFiles.glob() finds files in order, with patterns in folders too", () => {
  const found = (pattern: string) =>
    systemFiles.glob(join(folder, pattern)).map((path) => path.slice(folder.length + 1));
  expect(found("conf.d/*.yaml")).toEqual(["conf.d/a.yaml", "conf.d/b.yaml"]);
  expect(found("conf.?/[ab].yaml")).toEqual(["conf.d/a.yaml", "conf.d/b.yaml"]);
  expect(found("conf.d/**/*.yaml")).toEqual([
    "conf.d/a.yaml",
    "conf.d/b.yaml",
    "conf.d/deep/d.yaml",
  ]);
  expect(found("none/*.yaml")).toEqual([]);
});

test("systemFiles.glob() finds links to files, as in a mounted ConfigMap, and nothing else", () => {
  const at = (name: string) => join(folder, "mounted", name);
  mkdirSync(at("..2026_01_01"), { recursive: true });
  writeFileSync(at("..2026_01_01/a.yaml"), "a.yaml");
  symlinkSync("..2026_01_01", at("..data"));
  symlinkSync("..data/a.yaml", at("a.yaml"));
  symlinkSync("nowhere", at("dangling.yaml"));
  mkdirSync(at("folder.yaml"));
  expect(systemFiles.glob(at("*.yaml"))).toEqual([at("a.yaml")]);
});

test("systemFiles.read() reads files, and says in words why it cannot", () => {
  expect(systemFiles.read(join(folder, "conf.d/a.yaml"))).toBe("a.yaml");
  expect(systemFiles.exists(join(folder, "conf.d/a.yaml"))).toBe(true);
  expect(systemFiles.exists(join(folder, "conf.d"))).toBe(false);
  const reason = (path: string): string => {
    try {
      return systemFiles.read(path);
    } catch (error) {
      return readFailure(error);
    }
  };
  expect(reason(join(folder, "none"))).toBe("it does not exist");
  expect(reason(folder)).toBe("it is a directory");
});
