import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import {
  CapturedLog,
  conformance,
  type ConformanceOptions,
  HttpSink,
  testParser,
} from "logcollector/testing";
import { ParserRegistry } from "../../src/loader/parser-registry.ts";
import { builtins } from "../../src/loader/registry.ts";
import json from "../../plugins/parsers/json.ts";
import { ForwardPeer } from "../support/forward-peer.ts";
import { TempFolder } from "../support/temp-folder.ts";

let sink: HttpSink;
let peer: ForwardPeer;
const folder = new TempFolder();
const registry = new ParserRegistry({ log: new CapturedLog() });

beforeAll(async () => {
  sink = await HttpSink.listen();
  peer = await ForwardPeer.start();
  writeFileSync(folder.at("list.txt"), "first\nGET\n");
  writeFileSync(folder.at("in.log"), "first line\nsecond line\n");
});
afterAll(async () => {
  await sink[Symbol.asyncDispose]();
  peer[Symbol.dispose]();
  folder[Symbol.dispose]();
});

/** What each builtin needs to work; the rest work without anything. */
const OPTIONS: Readonly<Record<string, ConformanceOptions>> = {
  "input dummy": { options: { dummy: '{"message":"x","list":[1,null]}', rate: 10, copies: 2 } },
  "input exec": { options: { command: "echo one; echo two; sleep 60", interval_sec: 1 } },
  "input tail": { options: () => ({ path: folder.at("*.log"), read_from_head: true }) },
  "filter checklist": { options: () => ({ file: folder.at("list.txt"), lookup_key: "log" }) },
  "filter expect": { options: { key_exists: "log", action: "warn" } },
  "filter grep": { options: { regex: ["log ^GET", "level info"], logical_op: "AND" } },
  "filter modify": {
    options: { add: "added yes", rename: "log text", condition: "Key_exists log" },
  },
  "filter multiline": {
    options: { "multiline.parser": "java, go", "multiline.key_content": "log" },
    multiline: registry.multiline(["java", "go"]),
  },
  "filter nest": { options: { operation: "lift", nested_under: "nested" } },
  "filter parser": {
    options: { key_name: "log", parser: "json", reserve_data: true },
    parsers: { json: testParser(json) },
  },
  "filter record_modifier": { options: { record: "host a b", remove_key: "log" } },
  "filter rewrite_tag": { options: { rule: "$log ^GET new.tag false" } },
  "filter script": { options: { code: '(record) => record.log === "" ? null : record' } },
  "filter sysinfo": { options: { hostname_key: "host", kernel_version_key: "kernel" } },
  "filter throttle": { options: { rate: 1, window: 2, interval: "1s" } },
  "filter type_converter": { options: { int_key: "status status_text string" } },
  "output es": { options: () => ({ host: sink.host, port: sink.port, generate_id: true }) },
  "output file": { options: () => ({ path: folder.path, file: "out.txt", format: "plain" }) },
  "output forward": { options: () => ({ port: peer.port, require_ack_response: true }) },
  "output http": { options: () => ({ host: sink.host, port: sink.port, format: "json_lines" }) },
  "output null": { options: { format: "json" } },
  "output stdout": { options: { format: "json_lines" } },
  "parser regex": { options: { regex: "^(?<key>[^=]+)=(?<value>.*)$" } },
};

for (const kind of ["input", "filter", "output", "parser"] as const) {
  for (const definition of builtins.list(kind)) {
    describe(`${kind} ${definition.name}`, () => {
      const options = OPTIONS[`${kind} ${definition.name}`];
      for (const { name, run } of conformance(definition, options)) test(name, run);
    });
  }
}

test("all that is set up above exists", () => {
  const known = (["input", "filter", "output", "parser"] as const)
    .flatMap((kind) => builtins.names(kind).map((name) => `${kind} ${name}`));
  expect(Object.keys(OPTIONS).filter((name) => !known.includes(name))).toEqual([]);
});
