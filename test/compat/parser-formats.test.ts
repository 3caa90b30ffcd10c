import { sameRecords } from "../support/same-records.ts";

sameRecords("Formats of parsers", [
  {
    name: "takes what is a JSON object",
    input: [
      `{"a":1,"b":"x","time":"28/Jul/2024:10:27:10 +0200"}`,
      `{"a":2}`,
      "no json",
      "[1,2]",
      `"str"`,
      "{}",
      `{"a":1} {"b":2}`,
      `{"a":1}trailing`,
      `  {"a":1}`,
      `{"a":1,}`,
      `{"a":1`,
      "null",
      "12",
    ],
    tail: "parser: json",
    records: [
      { "a": 1, "b": "x" },
      { "a": 2 },
      { "log": "no json" },
      { "log": "[1,2]" },
      { "log": '"str"' },
      {},
      { "log": '{"a":1} {"b":2}' },
      { "a": 1 },
      { "a": 1 },
      { "log": '{"a":1,}' },
      { "log": '{"a":1' },
      { "log": "null" },
      { "log": "12" },
    ],
  },
  {
    name: "keeps large numbers",
    input: [
      `{"i":1,"n":-5,"big":9223372036854775807,"unsigned":18446744073709551615,"f":1.5,"e":1.5E-7,"lead":0.10}`,
    ],
    tail: "parser: json",
    records: [
      {
        "i": 1,
        "n": -5,
        "big": 9223372036854775807n,
        "unsigned": 18446744073709551615n,
        "f": 1.5,
        "e": 1.5e-07,
        "lead": 0.1,
      },
    ],
  },
  {
    name: "keeps types",
    input: [
      `{"t":true,"f":false,"n":null,"a":[1,"x",null,[],{}],"o":{"x":{"y":{"z":[{"k":1}]}}},"e":"","sp":" "}`,
    ],
    tail: "parser: json",
    records: [
      {
        "t": true,
        "f": false,
        "n": null,
        "a": [1, "x", null, [], {}],
        "o": { "x": { "y": { "z": [{ "k": 1 }] } } },
        "e": "",
        "sp": " ",
      },
    ],
  },
  {
    name: "apache2",
    input: [
      `192.168.1.1 - frank [10/Oct/2000:13:55:36 -0700] "GET /apache_pb.gif HTTP/1.0" 200 2326 "http://www.example.com/start.html" "Mozilla/4.08 [en] (Win98; I ;Nav)"`,
      `10.0.0.1 - - [10/Oct/2000:13:55:36 +0000] "GET / HTTP/1.1" 404 -`,
      `::1 - - [01/Jan/2024:00:00:00 +0530] "-" 408 0 "-" "-"`,
      "broken",
    ],
    tail: "parser: apache2",
    records: [
      {
        "host": "192.168.1.1",
        "user": "frank",
        "method": "GET",
        "path": "/apache_pb.gif",
        "code": "200",
        "size": "2326",
        "referer": "http://www.example.com/start.html",
        "agent": "Mozilla/4.08 [en] (Win98; I ;Nav)",
      },
      { "host": "10.0.0.1", "user": "-", "method": "GET", "path": "/", "code": "404", "size": "-" },
      {
        "host": "::1",
        "user": "-",
        "method": "-",
        "code": "408",
        "size": "0",
        "referer": "-",
        "agent": "-",
      },
      { "log": "broken" },
    ],
  },
  {
    name: "nginx",
    input: [
      `192.168.1.1 - frank [10/Oct/2000:13:55:36 -0700] "GET /apache_pb.gif HTTP/1.0" 200 2326 "http://www.example.com/start.html" "Mozilla/4.08 [en] (Win98; I ;Nav)"`,
      `10.0.0.1 - - [10/Oct/2000:13:55:36 +0000] "GET / HTTP/1.1" 404 -`,
      `::1 - - [01/Jan/2024:00:00:00 +0530] "-" 408 0 "-" "-"`,
      "broken",
    ],
    tail: "parser: nginx",
    records: [
      {
        "remote": "192.168.1.1",
        "host": "-",
        "user": "frank",
        "method": "GET",
        "path": "/apache_pb.gif",
        "code": "200",
        "size": "2326",
        "referer": "http://www.example.com/start.html",
        "agent": "Mozilla/4.08 [en] (Win98; I ;Nav)",
      },
      { "log": '10.0.0.1 - - [10/Oct/2000:13:55:36 +0000] "GET / HTTP/1.1" 404 -' },
      {
        "remote": "::1",
        "host": "-",
        "user": "-",
        "method": "-",
        "code": "408",
        "size": "0",
        "referer": "-",
        "agent": "-",
      },
      { "log": "broken" },
    ],
  },
  {
    name: "logfmt",
    input: [
      String.raw`time=2024 level=info msg="hello world" n=5 f=1.5 flag empty= q="a\"b" t=true`,
      "key",
      "=bad",
      "a=1 a=2",
      "  spaced=1   b=2",
      `x="unterminated`,
      "",
    ],
    tail: "parser: logfmt",
    records: [
      {
        "time": "2024",
        "level": "info",
        "msg": "hello world",
        "n": "5",
        "f": "1.5",
        "flag": true,
        "empty": true,
        "q": 'a"b',
        "t": "true",
      },
      { "key": true },
      { "bad": true },
      { "a": "2" },
      { "spaced": "1", "b": "2" },
      { "x": "unterminated" },
      { "log": "" },
    ],
  },
  {
    name: "ltsv",
    input: [
      "time:2024-02-29T12:00:00Z\thost:1.2.3.4\tempty:\turl:http://a/b",
      "nocolon",
      "a:1\tb",
      "\tx:1",
    ],
    tail: "parser: p",
    sections: `
      parsers:
        - name: p
          format: ltsv
          time_key: time
          time_format: "%Y-%m-%dT%H:%M:%SZ"
    `,
    records: [
      { "host": "1.2.3.4", "empty": "", "url": "http://a/b" },
      { "log": "nocolon" },
      { "a": "1" },
      { "log": "\tx:1" },
    ],
  },
  {
    name: "Onigmo classes",
    input: [
      "Foo bar 12 αβγ",
      "ABC-xyz",
    ],
    tail: "parser: p",
    sections: String.raw`
      parsers:
        - name: p
          format: regex
          regex: '(?<w>\h+|[[:alpha:]]+)\s*(?<rest>(?i:BAR).*)?'
    `,
    records: [
      { "w": "F" },
      { "w": "ABC" },
    ],
  },
  {
    name: "a regex in a YAML block",
    input: [
      "ab",
      "cd",
    ],
    tail: "parser: p",
    sections: `
      parsers:
        - name: p
          format: regex
          regex: |
            ^(?<a>a.*)$
    `,
    records: [
      { "a": "ab" },
      { "log": "cd" },
    ],
  },
  {
    name: "syslog-rfc5424",
    input: [
      "<34>1 2003-10-11T22:14:15.003Z mymachine.example.com su 123 ID47 - BOM'su root' failed",
      `<165>1 2003-08-24T05:14:15.000003-07:00 192.0.2.1 myproc 8710 - [exampleSDID@32473 iut="3"] %% It's time`,
      "<34>1 2003-10-11T22:14:15Z h a - - - m",
    ],
    tail: "parser: syslog-rfc5424",
    records: [
      {
        "pri": "34",
        "time": "2003-10-11T22:14:15.003Z",
        "host": "mymachine.example.com",
        "ident": "su",
        "pid": "123",
        "msgid": "ID47",
        "extradata": "-",
        "message": "BOM'su root' failed",
      },
      {
        "pri": "165",
        "time": "2003-08-24T05:14:15.000003-07:00",
        "host": "192.0.2.1",
        "ident": "myproc",
        "pid": "8710",
        "msgid": "-",
        "extradata": '[exampleSDID@32473 iut="3"]',
        "message": "%% It's time",
      },
      {
        "pri": "34",
        "host": "h",
        "ident": "a",
        "pid": "-",
        "msgid": "-",
        "extradata": "-",
        "message": "m",
      },
    ],
  },
  {
    name: "mongodb",
    input: [
      "2014-11-03T18:28:32.450-0500 I NETWORK [initandlisten] waiting for connections on port 27017",
      "2015-03-16T10:42:55.123+0100 W COMMAND  [conn12] query x 120ms",
    ],
    tail: "parser: mongodb",
    records: [
      {
        "time": "2014-11-03T18:28:32.450-0500",
        "severity": "I",
        "component": "NETWORK",
        "context": "initandlisten",
        "message": "waiting for connections on port",
        "ms": "27017",
      },
      {
        "time": "2015-03-16T10:42:55.123+0100",
        "severity": "W",
        "component": "COMMAND",
        "context": "conn12",
        "message": "query x",
        "ms": "120",
      },
    ],
  },
]);
