import { expect, test } from "bun:test";
import { hostname, release, version } from "node:os";
import sysinfo from "../../../plugins/filters/sysinfo.ts";
import { makeFilter } from "./filter-driver.ts";

test("sysinfo adds only the facts that have a key, replacing fields, at the end", async () => {
  const [body] = await makeFilter(sysinfo, {
    fluentbit_version_key: "v",
    hostname_key: "log",
    os_name_key: "$host['os']",
    os_version_key: "ov",
    kernel_version_key: "kv",
  }).feed({ log: "x", a: 1 });
  expect(Object.entries(body!)).toEqual([
    ["a", 1],
    ["v", "5.1.1"],
    ["host", { os: process.platform === "darwin" ? "macos" : process.platform }],
    ["log", hostname()],
    ["ov", version()],
    ["kv", release()],
  ]);
});

test("sysinfo without options changes nothing", async () => {
  expect(await makeFilter(sysinfo, {}).feed({ log: "x" })).toEqual([{ log: "x" }]);
});
