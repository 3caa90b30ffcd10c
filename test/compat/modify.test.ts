import { sameRecords } from "../support/same-records.ts";

sameRecords("Filter modify", [
  {
    name: "modify goes in written order",
    input: [
      `{"a":"1","b":"2"}`,
    ],
    tail: "parser: j",
    sections: `
      parsers:
        - name: j
          format: json
    `,
    filters: `
      - name: modify
        match: '*'
        rename: a c
        set: a new
        copy: c d
        remove: c
    `,
    records: [
      { "d": "1", "b": "2", "a": "new" },
    ],
  },
  {
    name: "modify rename onto a field",
    input: [
      `{"a":"1","b":"2"}`,
    ],
    tail: "parser: j",
    sections: `
      parsers:
        - name: j
          format: json
    `,
    filters: `
      - name: modify
        match: '*'
        rename: a b
    `,
    records: [
      { "a": "1", "b": "2" },
    ],
  },
  {
    name: "modify hard_copy",
    input: [
      `{"a":"1","b":"2"}`,
    ],
    tail: "parser: j",
    sections: `
      parsers:
        - name: j
          format: json
    `,
    filters: `
      - name: modify
        match: '*'
        hard_copy: a b
    `,
    records: [
      { "a": "1", "b": "1" },
    ],
  },
  {
    name: "modify remove_wildcard",
    input: [
      `{"mem.a":"1","mem.b":"2","x":3}`,
    ],
    tail: "parser: j",
    sections: `
      parsers:
        - name: j
          format: json
    `,
    filters: `
      - name: modify
        match: '*'
        remove_wildcard: mem.
    `,
    records: [
      { "x": 3 },
    ],
  },
  {
    name: "modify move",
    input: [
      `{"xa":1,"b":2,"xc":3}`,
    ],
    tail: "parser: j",
    sections: `
      parsers:
        - name: j
          format: json
    `,
    filters: `
      - name: modify
        match: '*'
        move_to_end: x*
    `,
    lines: [
      `t {"xa"=>1, "b"=>2, "xc"=>3}`,
    ],
  },
  {
    name: "modify conditions all hold",
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
        match: '*'
        condition:
          - key_exists host
          - key_value_equals level info
        set: hit yes
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
      { "level": "info", "msg": "ok", "code": 200, "host": "b", "hit": "yes" },
      { "level": "ERROR", "msg": "other", "code": 503 },
      { "log": "plain text" },
    ],
  },
  {
    name: "modify condition on a missing field",
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
        match: '*'
        condition: "key_value_does_not_equal nothere x"
        set: hit yes
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
    name: "modify quotes",
    input: [
      `{"level":"error","msg":"a b","code":500}`,
      `{"level":"info","msg":"c","code":200}`,
    ],
    tail: "parser: j",
    sections: `
      parsers:
        - name: j
          format: json
    `,
    filters: `
      - name: modify
        match: '*'
        set: k "a b"
    `,
    records: [
      { "level": "error", "msg": "a b", "code": 500, "k": "a b" },
      { "level": "info", "msg": "c", "code": 200, "k": "a b" },
    ],
  },
]);
