import { sameRecords } from "../support/same-records.ts";

sameRecords("Types and decoders of parsers", [
  {
    name: "converts types",
    input: [
      "1,2.5,ff,true,abc,0x1f,-7,1e3",
      "x,y,zz,maybe,,,,",
      "99999999999999999999,1.0,FFFFFFFFFFFFFFFF,FALSE,007,10,+5,.5",
    ],
    tail: "parser: p",
    sections: `
      parsers:
        - name: p
          format: regex
          regex: ^(?<i>[^,]*),(?<f>[^,]*),(?<h>[^,]*),(?<b>[^,]*),(?<s>[^,]*),(?<h2>[^,]*),(?<n>[^,]*),(?<e>[^,]*)$
          types: i:integer f:float h:hex b:bool s:string h2:hex n:integer e:float
    `,
    records: [
      { "i": 1, "f": 2.5, "h": 255, "b": true, "s": "abc", "h2": 31, "n": -7, "e": 1000.0 },
      { "i": 0, "f": 0.0, "h": 0, "b": "maybe" },
      {
        "i": 9223372036854775807n,
        "f": 1.0,
        "h": 18446744073709551615n,
        "b": false,
        "s": "007",
        "h2": 16,
        "n": 5,
        "e": 0.5,
      },
    ],
  },
  {
    name: "leaves out empty captures",
    input: [
      "a=,b=x",
      "=,b=",
    ],
    tail: "parser: p",
    sections: `
      parsers:
        - name: p
          format: regex
          regex: ^a?=?(?<a>[^,]*),b=(?<b>.*)$
    `,
    records: [
      { "b": "x" },
      {},
    ],
  },
  {
    name: "keeps empty captures when told so",
    input: [
      "a=,b=x",
      "=,b=",
    ],
    tail: "parser: p",
    sections: `
      parsers:
        - name: p
          format: regex
          regex: ^a?=?(?<a>[^,]*),b=(?<b>.*)$
          skip_empty_values: false
    `,
    records: [
      { "a": "", "b": "x" },
      { "a": "", "b": "" },
    ],
  },
  {
    name: "a group that did not take part",
    input: [
      "ab",
      "a",
    ],
    tail: "parser: p",
    sections: `
      parsers:
        - name: p
          format: regex
          regex: ^(?<a>a)(?<b>b)?$
          skip_empty_values: off
    `,
    records: [
      { "a": "a", "b": "b" },
      { "a": "a", "b": "" },
    ],
  },
  {
    name: "decode_field json",
    input: [
      String.raw`{"log":"{\"a\":1,\"b\":{\"c\":2}}","x":1}`,
      `{"log":"not json","x":2}`,
      `{"log":"[1,2]"}`,
    ],
    tail: "parser: p",
    sections: `
      parsers:
        - name: p
          format: json
          decode_field: json log
    `,
    records: [
      { "log": '{"a":1,"b":{"c":2}}', "x": 1, "a": 1, "b": { "c": 2 } },
      { "log": "not json", "x": 2 },
      { "log": "[1,2]" },
    ],
  },
  {
    name: "decode_field_as json",
    input: [
      String.raw`{"log":"{\"a\":\"x\"}","m":"t\\tq"}`,
    ],
    tail: "parser: p",
    sections: `
      parsers:
        - name: p
          format: json
          decode_field_as: json log
    `,
    records: [
      { "log": { "a": "x" }, "m": "t\\tq" },
    ],
  },
  {
    name: "decode_field_as escaped",
    input: [
      String.raw`{"log":"a\\nb\\t\\u00e9 \\\"q\\\" \\\\"}`,
    ],
    tail: "parser: p",
    sections: `
      parsers:
        - name: p
          format: json
          decode_field_as: escaped log
    `,
    records: [
      { "log": 'a\nb\tu00e9 "q" \\' },
    ],
  },
  {
    name: "decode_field_as json of other values",
    input: [
      String.raw`{"log":"{\"a\":1}\n","b":5}`,
      String.raw`{"log":" {\"a\":1} "}`,
      String.raw`{"log":"[1,{\"a\":2}]"}`,
      `{"log":"12"}`,
      String.raw`{"log":"\"str\""}`,
    ],
    tail: "parser: p",
    sections: `
      parsers:
        - name: p
          format: json
          decode_field_as: json log
    `,
    records: [
      { "log": { "a": 1 }, "b": 5 },
      { "log": { "a": 1 } },
      { "log": '[1,{"a":2}]' },
      { "log": "12" },
      { "log": '"str"' },
    ],
  },
  {
    name: "types do nothing to JSON",
    input: [
      `{"i":"12","f":"1.5","b":"true","n":5}`,
    ],
    tail: "parser: p",
    sections: `
      parsers:
        - name: p
          format: json
          types: i:integer f:float b:bool n:string
    `,
    records: [
      { "i": "12", "f": "1.5", "b": "true", "n": 5 },
    ],
  },
]);
