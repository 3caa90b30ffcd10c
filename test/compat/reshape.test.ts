import { sameRecords } from "../support/same-records.ts";

sameRecords("Filters that reshape", [
  {
    name: "record_modifier allowlist",
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
      - name: record_modifier
        match: '*'
        allowlist_key: level
        record: x y
    `,
    records: [
      { "level": "error", "x": "y" },
      { "level": "info", "x": "y" },
      { "level": "ERROR", "x": "y" },
      { "x": "y" },
    ],
  },
  {
    name: "nest with prefix",
    input: [
      `{"k8s_pod":"p","k8s_ns":"n","msg":"m","x_1":1}`,
      `{"msg":"only"}`,
      `{"k8s_pod":{"in":1}}`,
    ],
    tail: "parser: j",
    sections: `
      parsers:
        - name: j
          format: json
    `,
    filters: `
      - name: nest
        match: '*'
        operation: nest
        wildcard: [k8s_*, x_*]
        nest_under: kubernetes
        remove_prefix: k8s_
    `,
    records: [
      { "msg": "m", "kubernetes": { "pod": "p", "ns": "n", "x_1": 1 } },
      { "msg": "only" },
      { "kubernetes": { "pod": { "in": 1 } } },
    ],
  },
  {
    name: "nest under an existing field",
    input: [
      `{"u":{"a":1},"x_b":2}`,
    ],
    tail: "parser: j",
    sections: `
      parsers:
        - name: j
          format: json
    `,
    filters: `
      - name: nest
        match: '*'
        operation: nest
        wildcard: x_*
        nest_under: u
    `,
    records: [
      { "u": { "x_b": 2 } },
    ],
  },
  {
    name: "nest lift",
    input: [
      `{"u":{"a":1,"b":{"c":2}},"x":3}`,
      `{"u":"str","x":3}`,
      `{"x":1}`,
      `{"u":{"x":9},"x":3}`,
      `{"u":{}}`,
    ],
    tail: "parser: j",
    sections: `
      parsers:
        - name: j
          format: json
    `,
    filters: `
      - name: nest
        match: '*'
        operation: lift
        nested_under: u
    `,
    records: [
      { "x": 3, "a": 1, "b": { "c": 2 } },
      { "u": "str", "x": 3 },
      { "x": 1 },
      { "x": 9 },
      {},
    ],
  },
  {
    name: "nest lift prefix",
    input: [
      `{"u":{"a":1,"b":{"c":2}},"x":3}`,
      `{"u":"str","x":3}`,
      `{"x":1}`,
      `{"u":{"x":9},"x":3}`,
      `{"u":{}}`,
    ],
    tail: "parser: j",
    sections: `
      parsers:
        - name: j
          format: json
    `,
    filters: `
      - name: nest
        match: '*'
        operation: lift
        nested_under: u
        add_prefix: u_
    `,
    records: [
      { "x": 3, "u_a": 1, "u_b": { "c": 2 } },
      { "u": "str", "x": 3 },
      { "x": 1 },
      { "x": 3, "u_x": 9 },
      {},
    ],
  },
  {
    name: "nest lift wildcard",
    input: [
      `{"u":{"a":1,"b":{"c":2}},"x":3}`,
      `{"u":"str","x":3}`,
      `{"x":1}`,
      `{"u":{"x":9},"x":3}`,
      `{"u":{}}`,
    ],
    tail: "parser: j",
    sections: `
      parsers:
        - name: j
          format: json
    `,
    filters: `
      - name: nest
        match: '*'
        operation: lift
        nested_under: u
        wildcard: a*
    `,
    records: [
      { "x": 3, "a": 1, "b": { "c": 2 } },
      { "u": "str", "x": 3 },
      { "x": 1 },
      { "x": 9 },
      {},
    ],
  },
  {
    name: "type_converter numbers",
    input: [
      `{"i":12,"big":3000000000,"neg":-5,"f":2.75,"s":"9"}`,
    ],
    tail: "parser: j",
    sections: `
      parsers:
        - name: j
          format: json
    `,
    filters: `
      - name: type_converter
        match: '*'
        int_key:
          - i is string
          - i if float
          - neg nu uint
          - neg nh hex
          - big bs string
        float_key:
          - f fs string
          - f fi int
          - f fu uint
        str_key:
          - s si int
          - s sf float
          - s sb bool
          - nothere x int
    `,
    records: [
      {
        "i": 12,
        "big": 3000000000,
        "neg": -5,
        "f": 2.75,
        "s": "9",
        "si": 9,
        "sf": 9.0,
        "sb": "9",
        "is": "12",
        "if": 12.0,
        "nu": 18446744073709551611n,
        "nh": -5,
        "bs": "3000000000",
        "fs": "2.75",
        "fi": 2,
        "fu": 2,
      },
    ],
  },
  {
    name: "checklist partial",
    input: [
      `{"d":"www.Evil.com"}`,
      `{"d":"good.org"}`,
    ],
    tail: "parser: j",
    sections: `
      parsers:
        - name: j
          format: json
    `,
    filters: `
      - name: checklist
        match: '*'
        file: list.txt
        lookup_key: $d
        mode: partial
        ignore_case: true
        record: bad true
    `,
    files: { "list.txt": "evil\n" },
    records: [
      { "d": "www.Evil.com" },
      { "d": "good.org" },
    ],
  },
]);
