import { sameRecords } from "../support/same-records.ts";

sameRecords("Chains of filters", [
  {
    name: "parser reserve_data",
    input: [
      String.raw`{"log":"{\"a\":1,\"x\":9}","x":2}`,
      `{"log":"nope","x":3}`,
    ],
    tail: "parser: j",
    sections: `
      parsers:
        - name: j
          format: json
    `,
    filters: `
      - name: parser
        match: '*'
        key_name: log
        parser: j
        reserve_data: on
    `,
    records: [
      { "a": 1, "x": 2 },
      { "log": "nope", "x": 3 },
    ],
  },
  {
    name: "parser time",
    input: [
      `{"log":"2024-02-29T12:00:00Z hi","x":1}`,
      `{"log":"zz","x":2}`,
    ],
    tail: "parser: j",
    sections: String.raw`
      parsers:
        - name: j
          format: json
        - name: tm
          format: regex
          regex: ^(?<time>\S+) (?<m>.*)$
          time_key: time
          time_format: '%Y-%m-%dT%H:%M:%SZ'
    `,
    filters: `
      - name: parser
        match: '*'
        key_name: log
        parser: tm
        reserve_data: true
    `,
    records: [
      { "m": "hi", "x": 1 },
      { "log": "zz", "x": 2 },
    ],
  },
  {
    name: "parser other types",
    input: [
      `{"log":5}`,
      `{"log":{"a":1}}`,
      `{"log":null}`,
    ],
    tail: "parser: j",
    sections: `
      parsers:
        - name: j
          format: json
    `,
    filters: `
      - name: parser
        match: '*'
        key_name: log
        parser: j
        reserve_data: true
    `,
    records: [
      { "log": 5 },
      { "log": { "a": 1 } },
      { "log": null },
    ],
  },
  {
    name: "order of filters",
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
        regex: level .
      - name: modify
        match: '*'
        rename: level lvl
      - name: nest
        match: '*'
        operation: nest
        wildcard: c*
        nest_under: meta
      - name: record_modifier
        match: '*'
        record: env prod
        remove_key: host
      - name: nest
        match: '*'
        operation: lift
        nested_under: meta
        add_prefix: meta_
      - name: grep
        match: '*'
        exclude: lvl info
    `,
    records: [
      {
        "lvl": "error",
        "msg": "disk full",
        "n": { "x": { "y": "deep" } },
        "arr": ["p", "q"],
        "t": true,
        "z": null,
        "e": "",
        "f": 1.5,
        "env": "prod",
        "meta_code": 500,
      },
      { "lvl": "ERROR", "msg": "other", "env": "prod", "meta_code": 503 },
    ],
  },
  {
    name: "match_regex of filters",
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
      - name: modify
        match_regex: ^(t|x)$
        set: hit 1
      - name: modify
        match_regex: zzz
        set: no 1
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
        "hit": "1",
      },
      { "level": "info", "msg": "ok", "code": 200, "host": "b", "hit": "1" },
      { "level": "ERROR", "msg": "other", "code": 503, "hit": "1" },
      { "log": "plain text", "hit": "1" },
    ],
  },
]);
