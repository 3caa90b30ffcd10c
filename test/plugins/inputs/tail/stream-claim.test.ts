import { describe, expect, test } from "bun:test";
import { basename } from "node:path";
import { generationsOf } from "../../../../plugins/inputs/tail/generations.ts";
import { claimOfKnown, originsOf } from "../../../../plugins/inputs/tail/stream-claim.ts";

describe("originsOf", () => {
  for (
    const [generation, origin] of [
      ["app.log.1", "app.log"],
      ["app.log.12", "app.log"],
      ["app.log.1.gz", "app.log"],
      ["app.log.gz", "app.log"],
      ["app.log.old", "app.log"],
      ["app.log-20240131", "app.log"],
      ["app-20240131.log", "app.log"],
      ["app-2024-01-31T10:00:00.log", "app.log"],
      ["app.1.log", "app.log"],
      ["app-1.log.3", "app-1.log"],
      ["0.log.20240131-101500", "0.log"],
      ["0.log.20240131-101500.gz", "0.log"],
      ["syslog.1", "syslog"],
      ["syslog.old", "syslog"],
    ] as const
  ) {
    test(`${generation} may have been ${origin}`, () => {
      expect(originsOf(`/logs/${generation}`)).toContain(`/logs/${origin}`);
    });
  }

  test("finds only names that a generation of would be named like it", () => {
    for (const name of ["app-1.2.log.20240131-10.old", "a.b.c.1", "x_2.log.last", "error.log"]) {
      for (const origin of originsOf(`/logs/${name}`)) {
        expect(generationsOf(basename(origin)).matches(name)).toBe(true);
      }
    }
  });

  test("files with numbers of their own are no generations of each other", () => {
    expect(originsOf("/logs/app-2.log")).not.toContain("/logs/app-1.log");
  });
});

describe("claimOfKnown", () => {
  const file = {
    path: "/logs/app.log",
    home: "/data/app.log",
    dev: 1,
    ino: 7,
    birthMs: 1000.5,
    madeBeforeMs: undefined,
    sinceMs: undefined,
  };

  test("a file is known by itself first, then by where it is and was", () => {
    const { by } = claimOfKnown("1:7:1000", file);
    expect(by.slice(0, 4)).toEqual([
      ...["file 7 1000", "path /logs/app.log", "path /data/app.log"],
      "stream 1:7:1000",
    ]);
  });

  test("the number of the device does not matter where a time of birth is known", () => {
    expect(claimOfKnown("a", { ...file, dev: 2 })).toEqual(claimOfKnown("a", file));
  });

  test("the inode alone counts only where nothing else is known", () => {
    expect(claimOfKnown("a", file).as).not.toContain("inode 7");
    expect(claimOfKnown("a", { ...file, birthMs: 0 }).as).toContain("inode 7");
  });
});
