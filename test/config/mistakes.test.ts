import { describe, expect, test } from "bun:test";
import { load, mistakes, tailWith } from "./support.ts";

/** A configuration, and the lines that the user is to see. */
const CASES: readonly (readonly [string, string, readonly string[]])[] = [
  ["an unknown option, and not also that the one meant is missing", tailWith("pathh: a"), [
    'config.yaml:4:7: unknown option "pathh" of input "tail": did you mean "path"?',
  ]],
  ["an unknown option that is like no other", tailWith("path: a", "colour: red"), [
    'config.yaml:5:7: unknown option "colour" of input "tail": "logcollector plugins tail" lists its options',
  ]],
  ["a missing option", tailWith("key: a"), [
    'config.yaml:3:7: missing required option "path" of input "tail"',
  ]],
  [
    "a wrong unit, time and switch",
    tailWith(
      "path: a",
      "buffer_max_size: 5X",
      "refresh_interval: soon",
      "read_from_head: maybe",
    ),
    [
      'config.yaml:5:24: option "buffer_max_size" of input "tail": expected a size such as 512, 32K, 5M or 5MiB, got "5X"',
      'config.yaml:6:25: option "refresh_interval" of input "tail": expected a time such as 5, 5s, 500ms or 2h, got "soon"',
      'config.yaml:7:23: option "read_from_head" of input "tail": expected on, off, yes, no, true or false, got "maybe"',
    ],
  ],
  ["a number out of its range", tailWith("path: a", "buffer_max_size: 1"), [
    'config.yaml:5:24: option "buffer_max_size" of input "tail": must be at least 16, got 1',
  ]],
  ["a map where a value belongs", tailWith("path: a", "key: {b: c}"), [
    'config.yaml:5:12: option "key" of input "tail" must be one value of type string, not a map',
  ]],
  ["a repeated option", tailWith("path: a", "Path: b"), [
    'config.yaml:5:7: option "Path" of input "tail" is repeated',
  ]],
  ["a repeated name", tailWith("path: a", "name: dummy"), [
    'config.yaml:5:7: option "name" of input "tail" is repeated',
  ]],
  ["unknown plugins", "pipeline: {inputs: [{name: tial}], outputs: [{name: xyz}]}", [
    'config.yaml:1:28: unknown input "tial": did you mean "tail"?',
    'config.yaml:1:53: unknown output "xyz"',
  ]],
  [
    "a plugin without a name",
    "pipeline: {inputs: [{tail: {path: a}}], outputs: [{name: stdout}]}",
    [
      'config.yaml:1:21: the input has no plugin: add "name:" with one of those that "logcollector plugins" lists',
    ],
  ],
  ["unknown sections", "pipelin: {}\ninputs: []\nzzz: 1\n", [
    'config.yaml:1:1: unknown section "pipelin": did you mean "pipeline"?',
    'config.yaml:2:1: unknown section "inputs": it belongs under "pipeline"',
    'config.yaml:3:1: unknown section "zzz"',
  ]],
  ["an unknown part of the pipeline", "pipeline: {input: []}", [
    'config.yaml:1:12: unknown part "input" of "pipeline": did you mean "inputs"?',
  ]],
  ["sections repeated", `service: {}\nService: {}\n${tailWith("path: a")}`, [
    'config.yaml:2:1: section "Service" is repeated',
  ]],
  [
    "what is not built yet",
    `upstream_servers: []\nx-mine: [x]\ncustoms: []\nstream_processor: []\nservice:\n  streams_file: x\n${
      tailWith("path: a", "processors: {}", "routes: {}", "rate_gate.max_bytes: 5")
    }`,
    [
      // Empty lists too: the user means something by them.
      'config.yaml:1:1: "upstream_servers" is not supported in this version',
      'config.yaml:3:1: "customs" is not supported in this version',
      'config.yaml:4:1: "stream_processor" is not supported in this version',
      'config.yaml:6:3: "streams_file" is not supported in this version',
      'config.yaml:11:7: "processors" is not supported in this version',
      'config.yaml:12:7: "routes" is not supported in this version',
      'config.yaml:13:7: "rate_gate.max_bytes" is not supported in this version',
    ],
  ],
  [
    "dead letters without a place for them",
    `service: {storage.keep.rejected: on}\n${tailWith("path: a")}`,
    [
      'config.yaml:1:11: "storage.keep.rejected" needs a folder to keep them in: add storage.path',
    ],
  ],
  ["a disk queue without a place for it", tailWith("path: a", "storage.type: filesystem"), [
    'config.yaml:5:21: option "storage.type" of input "tail": needs a folder to keep records in: add storage.path to service',
  ]],
  [
    "service options",
    "service:\n  flsh: 1\n  daemon: on\n  http_port: 99999\npipeline: {inputs: [{name: dummy}], outputs: [{name: stdout}]}",
    [
      'config.yaml:2:3: unknown option "flsh" of service: did you mean "flush"?',
      'config.yaml:3:11: option "daemon" of service: "on" is not available in this version: run under a service manager instead',
      'config.yaml:4:14: option "http_port" of service: must be at most 65535, got 99999',
    ],
  ],
  [
    "a regex, with the place in it",
    "pipeline: {inputs: [{name: dummy}], filters: [{name: grep, match: x, pattern: a(b}], outputs: [{name: stdout}]}",
    [
      'config.yaml:1:79: option "pattern" of filter "grep": cannot compile regex a(b: Unclosed group at character 2',
    ],
  ],
  [
    "one of several values of an option",
    "pipeline:\n  inputs: [{name: dummy}]\n  filters:\n    - name: grep\n      match: x\n      regex:\n        - a b\n        - c\n  outputs: [{name: stdout}]\n",
    [
      'config.yaml:8:11: option "regex" of filter "grep": expected "KEY REGEX", got "c"',
    ],
  ],
  [
    "a filter without match",
    "pipeline: {inputs: [{name: dummy}], filters: [{name: grep}], outputs: [{name: stdout}]}",
    [
      `config.yaml:1:47: filter "grep" has no match: add "match: '*'" for all records`,
    ],
  ],
  [
    "a filter whose match is misspelt, once",
    "pipeline: {inputs: [{name: dummy}], filters: [{name: grep, mach: x}], outputs: [{name: stdout}]}",
    [
      'config.yaml:1:60: unknown option "mach" of filter "grep": did you mean "match"?',
    ],
  ],
  [
    "an alias that is taken",
    "pipeline: {inputs: [{name: dummy, alias: a}, {name: dummy, alias: a}], outputs: [{name: stdout}]}",
    [
      'config.yaml:1:67: alias "a" is already the name of the input at config.yaml:1:42',
    ],
  ],
  ["nothing to collect", "service: {}\n", [
    "config.yaml: the pipeline has no inputs and no outputs: nothing would be collected",
  ]],
  ["nowhere to deliver", "pipeline: {inputs: [{name: dummy}]}", [
    "config.yaml: the pipeline has no outputs: nothing would be collected",
  ]],
  [
    "lists and maps in each other's place",
    "service: [a]\nparsers: {a: b}\npipeline: {inputs: {name: x}, outputs: [stdout]}",
    [
      'config.yaml:1:10: "service" must be a map of names and values',
      'config.yaml:2:10: "parsers" must be a list: begin each entry with "- name:"',
      'config.yaml:3:20: "inputs" must be a list: begin each entry with "- name:"',
      'config.yaml:3:41: an entry of "outputs" must be a map that begins with "name:"',
    ],
  ],
  [
    "parsers",
    `parsers:\n  - format: json\n  - name: p\n    format: jsn\n  - name: q\n    format: json\n    tyme: x\n${
      tailWith("path: a")
    }`,
    [
      'config.yaml:2:5: the parser has no name: add "name:"',
      'config.yaml:4:13: option "format" of parser "p": expected one of json, regex, got "jsn"',
      'config.yaml:7:5: unknown option "tyme" of parser "q"',
    ],
  ],
  [
    "rules of a multiline parser",
    `multiline_parsers:\n  - name: m\n    rules:\n      - state: s\n        regex: "["\n        nextstate: x\n${
      tailWith("path: a")
    }`,
    [
      'config.yaml:4:9: option "rules" of multiline parser "m": missing "next_state"',
      'config.yaml:5:16: option "rules" of multiline parser "m": cannot compile regex [: Unclosed character class at character 1',
      'config.yaml:6:9: unknown option "nextstate" of an entry of "rules": did you mean "next_state"?',
    ],
  ],
];

describe("loadConfig explains YAML that is not valid", () => {
  const CASES_OF_YAML: readonly (readonly [string, string])[] = [
    [
      "match: *",
      "14: not valid YAML: an unquoted * is an alias in YAML, and no anchor has its name: put the value in quotes, as in match: '*'",
    ],
    [
      "match: *.log",
      "14: an unquoted * is an alias in YAML, and no anchor has its name: put the value in quotes, as in match: '*'",
    ],
    ["key: @x", "12: not valid YAML: a value cannot start with this character: put it in quotes"],
    [
      "key: a: b",
      "12: not valid YAML: a second key where a value was expected: wrong indentation, or a value with a colon that needs quotes",
    ],
    ['key: "a', "12: not valid YAML: the quote is not closed"],
    [
      "key: 'it's'",
      "16: not valid YAML: unexpected text: wrong indentation, or a value that needs quotes",
    ],
    [
      "key a",
      "7: not valid YAML: a name without a value: is a colon missing, or is the indentation wrong?",
    ],
    ["key: !x", "14: a value that begins with ! is a tag in YAML: put it in quotes"],
    [
      'key: "\\d"',
      "13: not valid YAML: wrong escape in double quotes: use single quotes for a regex",
    ],
  ];
  for (const [line, message] of CASES_OF_YAML) {
    test(line, () => expect(mistakes(tailWith(line))).toEqual([`config.yaml:4:${message}`]));
  }
});

describe("loadConfig reports", () => {
  for (const [name, yaml, lines] of CASES) {
    test(name, () => expect(mistakes(yaml)).toEqual([...lines]));
  }

  test("nothing for sections whose name begins with x-, and extensions", () => {
    expect(load(`x-mine: {a: b}\nextensions: {c: [d]}\n${tailWith("path: a")}`).inputs)
      .toHaveLength(1);
  });
});
