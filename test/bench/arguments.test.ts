import { describe, expect, test } from "bun:test";
import { readArguments } from "../../bench/throughput/arguments.ts";

const peersOf = (...args: string[]) => readArguments(args).peers;

describe("readArguments()", () => {
  test("has defaults", () => {
    expect(readArguments([])).toEqual({
      lines: 1_000_000,
      runs: 3,
      only: "",
      peers: [],
      json: undefined,
      help: false,
    });
  });

  test("takes several peers, with a name or called as their file", () => {
    expect(peersOf("--peer", "before=/old/logcollector", "--peer", "/opt/bin/fluent-bit")).toEqual([
      { name: "before", path: "/old/logcollector" },
      { name: "fluent-bit", path: "/opt/bin/fluent-bit" },
    ]);
  });

  test("leaves an equals sign in a path", () => {
    expect(peersOf("--peer", "/builds/lto=on/fluent-bit")).toEqual([
      { name: "fluent-bit", path: "/builds/lto=on/fluent-bit" },
    ]);
    expect(peersOf("--peer", "lto=/builds/lto=on/fluent-bit")).toEqual([
      { name: "lto", path: "/builds/lto=on/fluent-bit" },
    ]);
  });

  test("refuses a peer without a path or a name", () => {
    expect(() => peersOf("--peer", "before=")).toThrow(
      'it must be NAME=PATH or PATH, not "before="',
    );
    expect(() => peersOf("--peer", "=/bin/x")).toThrow('not "=/bin/x"');
  });

  test("refuses two collectors of one name", () => {
    expect(() => peersOf("--peer", "a=/x", "--peer", "a=/y")).toThrow('called "a"');
    expect(() => peersOf("--peer", "/old/logcollector")).toThrow('called "logcollector"');
  });

  test("refuses what is no count", () => {
    for (const text of ["0", "1.5", "many"]) {
      expect(() => readArguments(["--runs", text])).toThrow(`above 0, not "${text}"`);
    }
  });
});
