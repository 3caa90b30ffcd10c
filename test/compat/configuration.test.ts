import { sameRecords } from "../support/same-records.ts";

sameRecords("Configuration", [
  {
    name: "variables in values, those of the file before those of the system",
    input: ["one"],
    sections: `
      env:
        place: rack 7
        HOME: file
    `,
    filters: `
      - name: modify
        match: '*'
        set: home \${HOME}
        add: system \${SYSTEM}-\${UNSET:-default}
      - name: nest
        match: '*'
        operation: nest
        wildcard: log
        nest_under: \${place}
    `,
    env: { HOME: "system", SYSTEM: "s" },
    records: [{ home: "file", system: "s-default", "rack 7": { log: "one" } }],
  },
  {
    name: "blocks, and space inside quotes",
    input: ["abc x", "abd", "b"],
    filters: `
      - name: grep
        match: ' * '
        regex: |
          log ^a
      - name: grep
        match: '*'
        regex: >
          log
          ^abc
          x$
      - name: nest
        match: '*'
        operation: nest
        wildcard: log
        nest_under: ' u '
    `,
    records: [{ u: { log: "abc x" } }],
  },
  {
    name: "keys and words in any case",
    input: ["one", ""],
    tail: "Skip_Empty_Lines: TRUE\nPATH_KEY: File",
    filters: "- Name: Modify\n  MATCH: '*'\n  Hard_Rename: log text",
    records: [{ File: "in.log", text: "one" }],
  },
  {
    name: "numbers and words stay the text that was written",
    input: ["one"],
    tail: "key: 0x1F",
    filters: `
      - name: record_modifier
        match: '*'
        record: [zip 007, ratio 1.50, flag true, nothing null]
    `,
    records: [{ "0x1F": "one", zip: "007", ratio: "1.50", flag: "true", nothing: "null" }],
  },
  {
    name: "a list of sections that is written twice goes on",
    input: ["a=1 b=2"],
    tail: "parser: second",
    sections: `
      parsers:
        - { name: first, format: json }
      parsers:
        - { name: second, format: logfmt }
    `,
    records: [{ a: "1", b: "2" }],
  },
  {
    name: "included files, filters in the order of the files",
    input: ["one"],
    sections: "includes:\n  - part/*.yaml",
    files: {
      "part/1.yaml": "pipeline:\n  filters:\n    - {name: modify, match: '*', set: a 1}\n",
      "part/2.yaml": "includes: [deep/3.yaml]\n",
      "part/deep/3.yaml": "pipeline:\n  filters:\n    - {name: modify, match: '*', rename: a b}\n",
    },
    records: [{ log: "one", b: "1" }],
  },
]);
