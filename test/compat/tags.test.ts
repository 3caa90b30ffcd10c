import { sameRecords } from "../support/same-records.ts";

sameRecords("Filter rewrite_tag", [
  {
    name: "rewrite_tag",
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
      - name: rewrite_tag
        match: 't'
        rule: $level ^(error|ERROR)$ err.$level.$TAG false
    `,
    lines: [
      `err.ERROR.t {"level"=>"ERROR", "msg"=>"other", "code"=>503}`,
      `err.error.t {"level"=>"error", "msg"=>"disk full", "code"=>500, "host"=>"a", "n"=>{"x"=>{"y"=>"deep"}}, "arr"=>["p", "q"], "t"=>true, "z"=>nil, "e"=>"", "f"=>1.500000}`,
      `t {"level"=>"info", "msg"=>"ok", "code"=>200, "host"=>"b"}`,
      `t {"log"=>"plain text"}`,
    ],
  },
  {
    name: "rewrite_tag captures",
    input: [
      `{"log":"svc-42"}`,
    ],
    tail: "parser: j",
    sections: `
      parsers:
        - name: j
          format: json
    `,
    filters: String.raw`
      - name: rewrite_tag
        match: 't'
        rule: $log ^(\w+)-(\d+)$ new.$1.$2.$0 false
    `,
    lines: [
      `new.svc.42.svc-42 {"log"=>"svc-42"}`,
    ],
  },
  {
    name: "rewrite_tag tag parts",
    input: [
      `{"level":"error","msg":"disk full","code":500,"host":"a","n":{"x":{"y":"deep"}},"arr":["p","q"],"t":true,"z":null,"e":"","f":1.5}`,
      `{"level":"info","msg":"ok","code":200,"host":"b"}`,
      `{"level":"ERROR","msg":"other","code":503}`,
      "plain text",
    ],
    tail: `
      parser: j
      tag: a.b.c
    `,
    sections: `
      parsers:
        - name: j
          format: json
    `,
    filters: `
      - name: rewrite_tag
        match: 'a.*'
        rule: $level .* $TAG[2].$TAG[0].x$TAG[9] false
    `,
    lines: [
      `a.b.c {"log"=>"plain text"}`,
      `c.a.x {"level"=>"ERROR", "msg"=>"other", "code"=>503}`,
      `c.a.x {"level"=>"error", "msg"=>"disk full", "code"=>500, "host"=>"a", "n"=>{"x"=>{"y"=>"deep"}}, "arr"=>["p", "q"], "t"=>true, "z"=>nil, "e"=>"", "f"=>1.500000}`,
      `c.a.x {"level"=>"info", "msg"=>"ok", "code"=>200, "host"=>"b"}`,
    ],
  },
  {
    name: "rewrite_tag chain",
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
      - name: rewrite_tag
        match: 't'
        rule: $level ^(error|info)$ one.$level false
      - name: rewrite_tag
        match: 'one.*'
        rule: $code ^(.)00$ two.$1.$TAG false
      - name: modify
        match: 'two.*'
        set: seen two
      - name: modify
        match: 't'
        set: seen t
    `,
    lines: [
      `one.error {"level"=>"error", "msg"=>"disk full", "code"=>500, "host"=>"a", "n"=>{"x"=>{"y"=>"deep"}}, "arr"=>["p", "q"], "t"=>true, "z"=>nil, "e"=>"", "f"=>1.500000}`,
      `one.info {"level"=>"info", "msg"=>"ok", "code"=>200, "host"=>"b"}`,
      `t {"level"=>"ERROR", "msg"=>"other", "code"=>503, "seen"=>"t"}`,
      `t {"log"=>"plain text", "seen"=>"t"}`,
    ],
  },
  {
    name: "rewrite_tag missing field",
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
      - name: rewrite_tag
        match: 't'
        rule: $level ^error$ x.$nothere.y false
    `,
    lines: [
      `t {"level"=>"info", "msg"=>"ok", "code"=>200, "host"=>"b"}`,
      `t {"level"=>"ERROR", "msg"=>"other", "code"=>503}`,
      `t {"log"=>"plain text"}`,
      `x..y {"level"=>"error", "msg"=>"disk full", "code"=>500, "host"=>"a", "n"=>{"x"=>{"y"=>"deep"}}, "arr"=>["p", "q"], "t"=>true, "z"=>nil, "e"=>"", "f"=>1.500000}`,
    ],
  },
  {
    name: "rewrite_tag numbers",
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
      - name: rewrite_tag
        match: 't'
        rule: $level .* c.$code.$t.$f false
    `,
    lines: [
      `t {"log"=>"plain text"}`,
      `c.500.true.1.500000 {"level"=>"error", "msg"=>"disk full", "code"=>500, "host"=>"a", "n"=>{"x"=>{"y"=>"deep"}}, "arr"=>["p", "q"], "t"=>true, "z"=>nil, "e"=>"", "f"=>1.500000}`,
      `c.200.. {"level"=>"info", "msg"=>"ok", "code"=>200, "host"=>"b"}`,
      `c.503.. {"level"=>"ERROR", "msg"=>"other", "code"=>503}`,
    ],
  },
  {
    name: "rewrite_tag keep",
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
      - name: rewrite_tag
        match: 't'
        rule: $level ^(error)$ err true
    `,
    lines: [
      `t {"level"=>"error", "msg"=>"disk full", "code"=>500, "host"=>"a", "n"=>{"x"=>{"y"=>"deep"}}, "arr"=>["p", "q"], "t"=>true, "z"=>nil, "e"=>"", "f"=>1.500000}`,
      `t {"level"=>"info", "msg"=>"ok", "code"=>200, "host"=>"b"}`,
      `t {"level"=>"ERROR", "msg"=>"other", "code"=>503}`,
      `t {"log"=>"plain text"}`,
      `err {"level"=>"error", "msg"=>"disk full", "code"=>500, "host"=>"a", "n"=>{"x"=>{"y"=>"deep"}}, "arr"=>["p", "q"], "t"=>true, "z"=>nil, "e"=>"", "f"=>1.500000}`,
    ],
  },
]);
