import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { readElf } from "../../../src/hosts/go/read-elf.ts";
import { restartPauseMs } from "../../../src/hosts/go/restart-pause.ts";
import { TempFolder } from "../../support/temp-folder.ts";

test("an executable's head tells processor and libraries", () => {
  const elf = readElf(process.execPath);
  expect(elf?.bits).toBe(64);
  expect(elf?.machine).toBe(process.arch === "arm64" ? 183 : 62);
  expect(elf?.needed.join(" ")).toMatch(/libc\./);
});

test("what is no ELF file, or a torn one, is not read beyond its end", () => {
  using folder = new TempFolder();
  const write = (name: string, bytes: Uint8Array | string): string => {
    writeFileSync(folder.at(name), bytes);
    return folder.at(name);
  };
  expect(readElf(write("text", "#!/bin/sh\n"))).toBeUndefined();
  expect(readElf(write("empty", ""))).toBeUndefined();
  const head = Buffer.alloc(64, 0xff);
  head.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  expect(readElf(write("torn", head))?.needed).toEqual([]);
});

test("pauses grow from half a second to half a minute", () => {
  const pauses = [1, 2, 3, 10, 1000].map((failures) => restartPauseMs(failures, () => 1));
  expect(pauses).toEqual([500, 1000, 2000, 30_000, 30_000]);
  expect(restartPauseMs(1, () => 0)).toBe(250);
});
