import type { Body } from "../../sdk/record.ts";

/** Records of every sort: what a plugin must live with, whatever it was made for. */
export const SAMPLE_RECORDS: readonly Body[] = [
  { log: "GET /index.html 200", level: "info", status: 200 },
  { message: 'text with "quotes", \n line breaks \t and \u0000 controls', log: "" },
  { log: "größer 東京 🚀 \ud800", nested: { a: { b: [1, "two", null, { c: true }] } } },
  { id: 9007199254740993n, ratio: -0.5, big: 1e300, yes: true, nothing: null },
  { bytes: new Uint8Array([0, 255, 128]), list: [], map: {} },
  {},
  JSON.parse('{"__proto__": {"polluted": true}, "constructor": 1, "": "empty name"}'),
];

/** Lines that a parser must live with. */
export const SAMPLE_LINES: readonly string[] = [
  "",
  " ",
  "plain words",
  'key=value other="quoted text" bare',
  '{"a": 1, "__proto__": {"polluted": true}}',
  '{"a": ',
  "[1, 2]",
  "null",
  "\u0000\u0001\u001b[31m",
  "größer 東京 🚀 \ud800",
  "label:value\tother:value",
  "=".repeat(1000),
  "x".repeat(100_000),
  "2026-11-22T14:05:01Z ERROR something | happened; at=once",
];
