import { sameRecords } from "../support/same-records.ts";

sameRecords("Filter grep", [
  {
    name: "grep AND",
    input: [
      `{"level":"error","msg":"disk full","code":500,"host":"a","n":{"x":{"y":"deep"}},"arr":["p","q"],"t":true,"z":null,"e":"","f":1.5}`,
      `{"level":"info","msg":"ok","code":200,"host":"b"}`,
      `{"level":"ERROR","msg":"other","code":503}`,
      "plain text",
    ],
    tail: "parser: j",
    sections: `
      parsers:
        - name: j
          format: json
    `,
    filters: `
      - name: grep
        match: '*'
        logical_op: AND
        regex:
          - level error
          - code ^5
    `,
    records: [],
  },
  {
    name: "grep OR of excludes",
    input: [
      `{"level":"error","msg":"disk full","code":500,"host":"a","n":{"x":{"y":"deep"}},"arr":["p","q"],"t":true,"z":null,"e":"","f":1.5}`,
      `{"level":"info","msg":"ok","code":200,"host":"b"}`,
      `{"level":"ERROR","msg":"other","code":503}`,
      "plain text",
    ],
    tail: "parser: j",
    sections: `
      parsers:
        - name: j
          format: json
    `,
    filters: `
      - name: grep
        match: '*'
        logical_op: OR
        exclude:
          - level info
          - code ^503
    `,
    records: [
      {
        "level": "error",
        "msg": "disk full",
        "code": 500,
        "host": "a",
        "n": { "x": { "y": "deep" } },
        "arr": ["p", "q"],
        "t": true,
        "z": null,
        "e": "",
        "f": 1.5,
      },
      { "level": "ERROR", "msg": "other", "code": 503 },
      { "log": "plain text" },
    ],
  },
  {
    name: "grep legacy order",
    input: [
      `{"level":"error","msg":"disk full","code":500,"host":"a","n":{"x":{"y":"deep"}},"arr":["p","q"],"t":true,"z":null,"e":"","f":1.5}`,
      `{"level":"info","msg":"ok","code":200,"host":"b"}`,
      `{"level":"ERROR","msg":"other","code":503}`,
      "plain text",
    ],
    tail: "parser: j",
    sections: `
      parsers:
        - name: j
          format: json
    `,
    filters: `
      - name: grep
        match: '*'
        exclude: level ERROR
        regex: code ^5
    `,
    records: [],
  },
  {
    name: "grep nested",
    input: [
      `{"level":"error","msg":"disk full","code":500,"host":"a","n":{"x":{"y":"deep"}},"arr":["p","q"],"t":true,"z":null,"e":"","f":1.5}`,
      `{"level":"info","msg":"ok","code":200,"host":"b"}`,
      `{"level":"ERROR","msg":"other","code":503}`,
      "plain text",
    ],
    tail: "parser: j",
    sections: `
      parsers:
        - name: j
          format: json
    `,
    filters: `
      - name: grep
        match: '*'
        regex: $n['x']['y'] deep
    `,
    records: [
      {
        "level": "error",
        "msg": "disk full",
        "code": 500,
        "host": "a",
        "n": { "x": { "y": "deep" } },
        "arr": ["p", "q"],
        "t": true,
        "z": null,
        "e": "",
        "f": 1.5,
      },
    ],
  },
  {
    name: "grep exclude of a missing field",
    input: [
      `{"level":"error","msg":"disk full","code":500,"host":"a","n":{"x":{"y":"deep"}},"arr":["p","q"],"t":true,"z":null,"e":"","f":1.5}`,
      `{"level":"info","msg":"ok","code":200,"host":"b"}`,
      `{"level":"ERROR","msg":"other","code":503}`,
      "plain text",
    ],
    tail: "parser: j",
    sections: `
      parsers:
        - name: j
          format: json
    `,
    filters: `
      - name: grep
        match: '*'
        exclude: nothere .
    `,
    records: [
      {
        "level": "error",
        "msg": "disk full",
        "code": 500,
        "host": "a",
        "n": { "x": { "y": "deep" } },
        "arr": ["p", "q"],
        "t": true,
        "z": null,
        "e": "",
        "f": 1.5,
      },
      { "level": "info", "msg": "ok", "code": 200, "host": "b" },
      { "level": "ERROR", "msg": "other", "code": 503 },
      { "log": "plain text" },
    ],
  },
  {
    name: "grep numbers",
    input: [
      `{"level":"error","msg":"disk full","code":500,"host":"a","n":{"x":{"y":"deep"}},"arr":["p","q"],"t":true,"z":null,"e":"","f":1.5}`,
      `{"level":"info","msg":"ok","code":200,"host":"b"}`,
      `{"level":"ERROR","msg":"other","code":503}`,
      "plain text",
    ],
    tail: "parser: j",
    sections: `
      parsers:
        - name: j
          format: json
    `,
    filters: `
      - name: grep
        match: '*'
        regex: code ^(500|503)$
    `,
    records: [],
  },
]);
