import { sameRecords } from "../support/same-records.ts";

sameRecords("Multiline", [
  {
    name: "cri",
    input: [
      "2024-01-02T03:04:05.100000000Z stdout P part one ",
      "2024-01-02T03:04:05.200000000Z stdout F end",
      "2024-01-02T03:04:06.300000000Z stderr F single",
      "2024-01-02T03:04:07Z stdout P never",
      "2024-01-02T03:04:08+02:00 stderr P e1",
      "2024-01-02T03:04:09Z stdout F closed",
      "2024-01-02T03:04:10Z stderr F e2",
      "not cri",
      "2024-01-02T03:04:11.5Z stdout F after",
    ],
    tail: "multiline.parser: docker, cri",
    records: [
      {
        "time": "2024-01-02T03:04:05.100000000Z",
        "stream": "stdout",
        "_p": "P",
        "log": "part one end",
      },
      { "time": "2024-01-02T03:04:06.300000000Z", "stream": "stderr", "_p": "F", "log": "single" },
      { "time": "2024-01-02T03:04:07Z", "stream": "stdout", "_p": "P", "log": "neverclosed" },
      { "time": "2024-01-02T03:04:08+02:00", "stream": "stderr", "_p": "P", "log": "e1e2" },
      { "log": "not cri" },
      { "time": "2024-01-02T03:04:11.5Z", "stream": "stdout", "_p": "F", "log": "after" },
    ],
  },
  {
    name: "docker",
    input: [
      `{"log":"part one ","stream":"stdout","time":"2024-01-02T03:04:05.1Z"}`,
      String.raw`{"log":"part two\n","stream":"stdout","time":"2024-01-02T03:04:05.2Z"}`,
      String.raw`{"log":"single\n","stream":"stderr","time":"2024-01-02T03:04:06Z"}`,
      `{"log":"A","stream":"stdout","time":"2024-01-02T03:04:07.1Z"}`,
      String.raw`{"log":"err\n","stream":"stderr","time":"2024-01-02T03:04:07.2Z"}`,
      String.raw`{"log":"B\n","stream":"stdout","time":"2024-01-02T03:04:07.3Z"}`,
      "plain",
      String
        .raw`{"log":"last\n","stream":"stdout","time":"2024-01-02T03:04:08.3Z","attrs":{"x":"y"}}`,
    ],
    tail: "multiline.parser: docker, cri",
    records: [
      { "log": "part one part two\n", "stream": "stdout", "time": "2024-01-02T03:04:05.1Z" },
      { "log": "single\n", "stream": "stderr", "time": "2024-01-02T03:04:06Z" },
      { "log": "err\n", "stream": "stderr", "time": "2024-01-02T03:04:07.2Z" },
      { "log": "AB\n", "stream": "stdout", "time": "2024-01-02T03:04:07.1Z" },
      { "log": "plain" },
      {
        "log": "last\n",
        "stream": "stdout",
        "time": "2024-01-02T03:04:08.3Z",
        "attrs": { "x": "y" },
      },
    ],
  },
  {
    name: "java",
    input: [
      "single line",
      `Exception in thread "main" java.lang.NullPointerException`,
      "        at com.example.Book.getTitle(Book.java:16)",
      "        at com.example.Author.getBookTitles(Author.java:25)",
      "Caused by: java.lang.IllegalStateException: x",
      "        at a.b(C.java:1)",
      "        ... 23 more",
      "another line",
      "java.lang.RuntimeException: boom",
      "    at x.y(Z.java:2)",
      "end",
    ],
    tail: "multiline.parser: java",
    records: [
      { "log": "single line\n" },
      { "log": 'Exception in thread "main" java.lang.NullPointerException\n' },
      { "log": "        at com.example.Book.getTitle(Book.java:16)\n" },
      { "log": "        at com.example.Author.getBookTitles(Author.java:25)\n" },
      {
        "log":
          "Caused by: java.lang.IllegalStateException: x\n        at a.b(C.java:1)\n        ... 23 more\n",
      },
      { "log": "another line\n" },
      { "log": "java.lang.RuntimeException: boom\n    at x.y(Z.java:2)\n" },
      { "log": "end\n" },
    ],
  },
  {
    name: "python",
    input: [
      "hello",
      "Traceback (most recent call last):",
      `  File "/a/b.py", line 1, in <module>`,
      "    foo()",
      `  File "/a/c.py", line 2, in foo`,
      `    raise ValueError("x")`,
      "ValueError: x",
      "after",
      "Traceback (most recent call last):",
      `  File "x.py", line 1`,
      "    y",
      "KeyError: 'k'",
      "end",
    ],
    tail: "multiline.parser: python",
    records: [
      { "log": "hello\n" },
      {
        "log":
          'Traceback (most recent call last):\n  File "/a/b.py", line 1, in <module>\n    foo()\n  File "/a/c.py", line 2, in foo\n    raise ValueError("x")\nValueError: x\n',
      },
      { "log": "after\n" },
      {
        "log":
          "Traceback (most recent call last):\n  File \"x.py\", line 1\n    y\nKeyError: 'k'\n",
      },
      { "log": "end\n" },
    ],
  },
  {
    name: "go",
    input: [
      "start",
      "panic: my panic",
      "",
      "goroutine 4 [running]:",
      "panic(0x45cb40, 0x47ad70)",
      "\t/usr/local/go/src/runtime/panic.go:542 +0x46c fp=0xc42003f7b8 sp=0xc42003f710 pc=0x422f7c",
      "main.main.func1(0xc420024120)",
      "\tfoo.go:6 +0x39 fp=0xc42003f7d8 sp=0xc42003f7b8 pc=0x451339",
      "created by main.main",
      "\tfoo.go:5 +0x58",
      "",
      "exit status 2",
      "next",
    ],
    tail: "multiline.parser: go",
    records: [
      { "log": "start\n" },
      {
        "log":
          "panic: my panic\n\ngoroutine 4 [running]:\npanic(0x45cb40, 0x47ad70)\n\t/usr/local/go/src/runtime/panic.go:542 +0x46c fp=0xc42003f7b8 sp=0xc42003f710 pc=0x422f7c\nmain.main.func1(0xc420024120)\n\tfoo.go:6 +0x39 fp=0xc42003f7d8 sp=0xc42003f7b8 pc=0x451339\ncreated by main.main\n\tfoo.go:5 +0x58\n\n",
      },
      { "log": "exit status 2\n" },
      { "log": "next\n" },
    ],
  },
  {
    name: "ruby",
    input: [
      "start",
      "/app/config.rb:10:in `/': divided by 0 (ZeroDivisionError)",
      "\tfrom /app/a.rb:6:in `method'",
      "\tfrom /app/b.rb:2:in `main'",
      "done",
    ],
    tail: "multiline.parser: ruby",
    records: [
      { "log": "start\n" },
      {
        "log":
          "/app/config.rb:10:in `/': divided by 0 (ZeroDivisionError)\n\tfrom /app/a.rb:6:in `method'\n\tfrom /app/b.rb:2:in `main'\n",
      },
      { "log": "done\n" },
    ],
  },
  {
    name: "states",
    input: [
      "BEGIN a",
      "mid 1",
      "mid 2",
      "END",
      "lone",
      "BEGIN b",
      "END",
      "BEGIN c",
      "odd",
    ],
    tail: "multiline.parser: s",
    sections: `
      multiline_parsers:
        - name: s
          type: regex
          flush_timeout: 500
          rules:
            - state: start_state
              regex: '/^BEGIN/'
              next_state: mid
            - state: mid
              regex: '/^mid/'
              next_state: mid
            - state: mid
              regex: '/^END/'
              next_state: start_state
    `,
    records: [
      { "log": "BEGIN a\nmid 1\nmid 2\nEND\n" },
      { "log": "lone\n" },
      { "log": "BEGIN b\nEND\n" },
      { "log": "BEGIN c\n" },
      { "log": "odd\n" },
    ],
  },
  {
    name: "parser and key_group",
    input: [
      "2024-01-02T03:04:05Z stdout [x] a",
      "2024-01-02T03:04:06Z stdout   cont",
      "2024-01-02T03:04:07Z stderr [x] e",
      "2024-01-02T03:04:08Z stdout [x] b",
    ],
    tail: "multiline.parser: mp",
    sections: String.raw`
      parsers:
        - name: line
          format: regex
          regex: ^(?<time>\S+) (?<stream>\S+) (?<log>.*)$
          time_key: time
          time_format: '%Y-%m-%dT%H:%M:%SZ'
      multiline_parsers:
        - name: mp
          type: regex
          parser: line
          key_content: log
          key_group: stream
          flush_timeout: 500
          rules:
            - state: start_state
              regex: '/^\[/'
              next_state: cont
            - state: cont
              regex: '/^\s/'
              next_state: cont
    `,
    records: [
      { "stream": "stdout", "log": "[x] a\n  cont" },
      { "stream": "stdout", "log": "[x] b" },
      { "stream": "stderr", "log": "[x] e" },
    ],
  },
  {
    name: "equal",
    input: [
      "a",
      "b",
      "END",
      "c",
      "END",
    ],
    tail: "multiline.parser: e",
    sections: `
      multiline_parsers:
        - name: e
          type: equal
          match_string: END
    `,
    records: [
      { "log": "a\nb\nEND\n" },
      { "log": "c\nEND\n" },
    ],
  },
  {
    name: "endswith",
    input: [
      "a;",
      "b",
      "c;",
      "d;",
    ],
    tail: "multiline.parser: e",
    sections: `
      multiline_parsers:
        - name: e
          type: endswith
          match_string: ';'
    `,
    records: [
      { "log": "a;\n" },
      { "log": "b\nc;\n" },
      { "log": "d;\n" },
    ],
  },
  {
    name: "filter without buffer",
    input: [
      `{"log": "single line", "k": 0}`,
      String.raw`{"log": "Exception in thread \"main\" java.lang.NullPointerException", "k": 1}`,
      `{"log": "        at com.example.Book.getTitle(Book.java:16)", "k": 2}`,
      `{"log": "        at com.example.Author.getBookTitles(Author.java:25)", "k": 3}`,
      `{"log": "Caused by: java.lang.IllegalStateException: x", "k": 4}`,
      `{"log": "        at a.b(C.java:1)", "k": 5}`,
      `{"log": "        ... 23 more", "k": 6}`,
      `{"log": "another line", "k": 7}`,
      `{"log": "java.lang.RuntimeException: boom", "k": 8}`,
      `{"log": "    at x.y(Z.java:2)", "k": 9}`,
      `{"log": "end", "k": 10}`,
    ],
    tail: "parser: j",
    sections: `
      parsers:
        - name: j
          format: json
    `,
    filters: `
      - name: multiline
        match: '*'
        multiline.key_content: log
        multiline.parser: java
        buffer: off
    `,
    records: [
      { "log": "single line", "k": 0 },
      { "log": 'Exception in thread "main" java.lang.NullPointerException', "k": 1 },
      { "log": "        at com.example.Book.getTitle(Book.java:16)", "k": 2 },
      { "log": "        at com.example.Author.getBookTitles(Author.java:25)", "k": 3 },
      {
        "log":
          "Caused by: java.lang.IllegalStateException: x\n        at a.b(C.java:1)\n        ... 23 more",
        "k": 4,
      },
      { "log": "another line", "k": 7 },
      { "log": "java.lang.RuntimeException: boom\n    at x.y(Z.java:2)", "k": 8 },
      { "log": "end", "k": 10 },
    ],
  },
  {
    name: "filter partial_message",
    input: [
      `{"log": "one ", "partial_message": "true", "partial_id": "i1", "partial_ordinal": "1", "partial_last": "false", "c": "x"}`,
      `{"log": "two", "partial_message": "true", "partial_id": "i1", "partial_ordinal": "2", "partial_last": "true", "c": "x"}`,
      `{"log": "single", "c": "y"}`,
      `{"log": "A", "partial_message": "true", "partial_id": "a", "partial_ordinal": "1", "partial_last": "false"}`,
      `{"log": "B", "partial_message": "true", "partial_id": "b", "partial_ordinal": "1", "partial_last": "false"}`,
      `{"log": "A2", "partial_message": "true", "partial_id": "a", "partial_ordinal": "2", "partial_last": "true"}`,
      `{"log": "B2", "partial_message": "true", "partial_id": "b", "partial_ordinal": "2", "partial_last": "true"}`,
    ],
    tail: "parser: j",
    sections: `
      parsers:
        - name: j
          format: json
    `,
    filters: `
      - name: multiline
        match: '*'
        multiline.key_content: log
        mode: partial_message
    `,
    records: [
      { "c": "x", "log": "one two" },
      { "log": "single", "c": "y" },
      { "log": "AA2" },
      { "log": "BB2" },
    ],
  },
]);
