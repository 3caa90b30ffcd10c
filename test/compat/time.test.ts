import { sameRecords } from "../support/same-records.ts";

sameRecords("Times", [
  {
    name: "ISO with zones",
    input: [
      "2024-02-29T12:00:00Z rest 0",
      "2024-02-29T12:00:00+0100 rest 1",
      "2024-02-29T12:00:00+01:00 rest 2",
      "2024-02-29T12:00:00-05:30 rest 3",
      "2024-02-30T12:00:00Z rest 4",
      "2024-02-29T25:00:00Z rest 5",
      "2024-02-29T12:00:60Z rest 6",
      "2024-02-29T12:00:00 rest 7",
      "2024-02-29T12:00:00 UTC rest 8",
    ],
    tail: "parser: p",
    sections: String.raw`
      parsers:
        - name: p
          format: regex
          regex: ^(?<time>.*?) rest (?<n>\d+)$
          time_key: time
          time_format: '%Y-%m-%dT%H:%M:%S%z'
    `,
    records: [
      { "date": 1709208000.0, "n": "0" },
      { "date": 1709204400.0, "n": "1" },
      { "date": 1709204400.0, "n": "2" },
      { "date": 1709227800.0, "n": "3" },
      { "date": 1709294400.0, "n": "4" },
      { "date": "now", "n": "5" },
      { "date": 1709208060.0, "n": "6" },
      { "date": "now", "n": "7" },
      { "date": 1709208000.0, "n": "8" },
    ],
  },
  {
    name: "fractions",
    input: [
      "2024-02-29 12:00:00.1 rest 0",
      "2024-02-29 12:00:00.123 rest 1",
      "2024-02-29 12:00:00.123456 rest 2",
      "2024-02-29 12:00:00.123456789 rest 3",
      "2024-02-29 12:00:00.1234567891 rest 4",
      "2024-02-29 12:00:00 rest 5",
      "2024-02-29 12:00:00. rest 6",
      "2024-02-29 12:00:00,123 rest 7",
      "2024-02-29 12:00:00.12abc rest 8",
    ],
    tail: "parser: p",
    sections: String.raw`
      parsers:
        - name: p
          format: regex
          regex: ^(?<time>.*?) rest (?<n>\d+)$
          time_key: time
          time_format: '%Y-%m-%d %H:%M:%S.%L'
    `,
    records: [
      { "date": 1709208000.1, "n": "0" },
      { "date": 1709208000.123, "n": "1" },
      { "date": 1709208000.123456, "n": "2" },
      { "date": 1709208000.123457, "n": "3" },
      { "date": 1709208000.123457, "n": "4" },
      { "date": "now", "n": "5" },
      { "date": "now", "n": "6" },
      { "date": "now", "n": "7" },
      { "date": 1709208000.12, "n": "8" },
    ],
  },
  {
    name: "fraction and zone",
    input: [
      "2024-02-29T12:00:00.5+02:00 rest 0",
      "2024-02-29T12:00:00.25Z rest 1",
      "2024-02-29T12:00:00.25 +0200 rest 2",
      "2024-02-29T12:00:00Z rest 3",
      "2024-02-29T12:00:00.5 rest 4",
    ],
    tail: "parser: p",
    sections: String.raw`
      parsers:
        - name: p
          format: regex
          regex: ^(?<time>.*?) rest (?<n>\d+)$
          time_key: time
          time_format: '%Y-%m-%dT%H:%M:%S.%L%z'
    `,
    records: [
      { "date": 1709200800.5, "n": "0" },
      { "date": 1709208000.25, "n": "1" },
      { "date": 1709200800.25, "n": "2" },
      { "date": "now", "n": "3" },
      { "date": "now", "n": "4" },
    ],
  },
  {
    name: "epoch with a fraction",
    input: [
      "1700000000.5 rest 0",
      "1700000000.123456 rest 1",
      "1700000000 rest 2",
    ],
    tail: "parser: p",
    sections: String.raw`
      parsers:
        - name: p
          format: regex
          regex: ^(?<time>.*?) rest (?<n>\d+)$
          time_key: time
          time_format: '%s.%L'
    `,
    records: [
      { "date": 1700000000.5, "n": "0" },
      { "date": 1700000000.123456, "n": "1" },
      { "date": "now", "n": "2" },
    ],
  },
  {
    name: "month names in any case",
    input: [
      "10/Oct/2000:13:55:36 -0700 rest 0",
      "1/jan/2000:13:55:36 +0000 rest 1",
      "10/OCTOBER/2000:13:55:36 +0000 rest 2",
      "32/Oct/2000:13:55:36 -0700 rest 3",
      "10/Okt/2000:13:55:36 -0700 rest 4",
    ],
    tail: "parser: p",
    sections: String.raw`
      parsers:
        - name: p
          format: regex
          regex: ^(?<time>.*?) rest (?<n>\d+)$
          time_key: time
          time_format: '%d/%b/%Y:%H:%M:%S %z'
    `,
    records: [
      { "date": 971211336.0, "n": "0" },
      { "date": 946734936.0, "n": "1" },
      { "date": 971186136.0, "n": "2" },
      { "date": "now", "n": "3" },
      { "date": "now", "n": "4" },
    ],
  },
  {
    name: "names of days",
    input: [
      "Thursday, 29 February 2024 12:00:00 rest 0",
      "thu, 29 feb 2024 12:00:00 rest 1",
      "Xday, 29 feb 2024 12:00:00 rest 2",
    ],
    tail: "parser: p",
    sections: String.raw`
      parsers:
        - name: p
          format: regex
          regex: ^(?<time>.*?) rest (?<n>\d+)$
          time_key: time
          time_format: '%A, %d %B %Y %T'
    `,
    records: [
      { "date": 1709208000.0, "n": "0" },
      { "date": 1709208000.0, "n": "1" },
      { "date": "now", "n": "2" },
    ],
  },
  {
    name: "%Z",
    input: [
      "2024-02-29 12:00:00 UTC rest 0",
      "2024-02-29 12:00:00 EST rest 1",
      "2024-02-29 12:00:00 CET rest 2",
      "2024-02-29 12:00:00 XYZ rest 3",
    ],
    tail: "parser: p",
    sections: String.raw`
      parsers:
        - name: p
          format: regex
          regex: ^(?<time>.*?) rest (?<n>\d+)$
          time_key: time
          time_format: '%Y-%m-%d %H:%M:%S %Z'
    `,
    records: [
      { "date": 1709208000.0, "n": "0" },
      { "date": 1709226000.0, "n": "1" },
      { "date": 1709204400.0, "n": "2" },
      { "date": "now", "n": "3" },
    ],
  },
  {
    name: "time_offset",
    input: [
      "2024-02-29 12:00:00 rest 0",
      "2024-07-29 12:00:00 rest 1",
    ],
    tail: "parser: p",
    sections: String.raw`
      parsers:
        - name: p
          format: regex
          regex: ^(?<time>.*?) rest (?<n>\d+)$
          time_key: time
          time_format: '%Y-%m-%d %H:%M:%S'
          time_offset: '+0200'
    `,
    records: [
      { "date": 1709200800.0, "n": "0" },
      { "date": 1722247200.0, "n": "1" },
    ],
  },
  {
    name: "time_zone with summer time",
    input: [
      "2024-02-29 12:00:00 rest 0",
      "2024-07-29 12:00:00 rest 1",
      "2024-03-31 02:30:00 rest 2",
      "2024-10-27 02:30:00 rest 3",
    ],
    tail: "parser: p",
    sections: String.raw`
      parsers:
        - name: p
          format: regex
          regex: ^(?<time>.*?) rest (?<n>\d+)$
          time_key: time
          time_format: '%Y-%m-%d %H:%M:%S'
          time_zone: Europe/Berlin
    `,
    records: [
      { "date": 1709204400.0, "n": "0" },
      { "date": 1722247200.0, "n": "1" },
      { "date": 1711845000.0, "n": "2" },
      { "date": 1729989000.0, "n": "3" },
    ],
  },
  {
    name: "time_system_timezone",
    input: [
      "2024-02-29 12:00:00 rest 0",
      "2024-07-29 12:00:00 rest 1",
    ],
    tail: "parser: p",
    sections: String.raw`
      parsers:
        - name: p
          format: regex
          regex: ^(?<time>.*?) rest (?<n>\d+)$
          time_key: time
          time_format: '%Y-%m-%d %H:%M:%S'
          time_system_timezone: true
    `,
    env: { "TZ": "America/New_York" },
    records: [
      { "date": 1709226000.0, "n": "0" },
      { "date": 1722268800.0, "n": "1" },
    ],
  },
  {
    name: "text behind the time",
    input: [
      "2024-02-29 12:00:00 trailing rest 0",
      "2024-02-29 12:00:00.123 rest 1",
    ],
    tail: "parser: p",
    sections: String.raw`
      parsers:
        - name: p
          format: regex
          regex: ^(?<time>.*?) rest (?<n>\d+)$
          time_key: time
          time_format: '%Y-%m-%d %H:%M:%S'
    `,
    records: [
      { "date": 1709208000.0, "n": "0" },
      { "date": 1709208000.0, "n": "1" },
    ],
  },
  {
    name: "literal text",
    input: [
      "[2024/02/29 12.00.01] rest 0",
      "[2024/02/29  12.00.01] rest 1",
    ],
    tail: "parser: p",
    sections: String.raw`
      parsers:
        - name: p
          format: regex
          regex: ^(?<time>.*?) rest (?<n>\d+)$
          time_key: time
          time_format: '[%Y/%m/%d %H.%M.%S]'
    `,
    records: [
      { "date": 1709208001.0, "n": "0" },
      { "date": 1709208001.0, "n": "1" },
    ],
  },
  {
    name: "JSON times that are no text",
    input: [
      `{"ts":"2024-02-29T12:00:00.123Z","a":1}`,
      `{"ts":1700000000,"a":2}`,
      `{"ts":1700000000.5,"a":3}`,
      `{"a":4}`,
    ],
    tail: "parser: p",
    sections: `
      parsers:
        - name: p
          format: json
          time_key: ts
          time_format: "%Y-%m-%dT%H:%M:%S.%LZ"
    `,
    records: [
      { "date": 1709208000.123, "a": 1 },
      { "date": "now", "ts": 1700000000, "a": 2 },
      { "date": "now", "ts": 1700000000.5, "a": 3 },
      { "date": "now", "a": 4 },
    ],
  },
  {
    name: "century",
    input: [
      "2024-02-29 rest 0",
    ],
    tail: "parser: p",
    sections: String.raw`
      parsers:
        - name: p
          format: regex
          regex: ^(?<time>.*?) rest (?<n>\d+)$
          time_key: time
          time_format: '%C%y-%m-%d'
    `,
    records: [
      { "date": 1709164800.0, "n": "0" },
    ],
  },
  {
    name: "docker",
    input: [
      String.raw`{"log":"hello\n","stream":"stdout","time":"2024-01-02T03:04:05.123456789Z"}`,
      `{"log":"x","stream":"stderr","time":"2024-01-02T03:04:06Z"}`,
      `{"log":"x","time":"2024-01-02T03:04:06.5+02:00"}`,
      `{"log":"x","time":"2024-13-02T03:04:06.5Z"}`,
    ],
    tail: "parser: docker",
    records: [
      {
        "date": 1704164645.123457,
        "log": "hello\n",
        "stream": "stdout",
        "time": "2024-01-02T03:04:05.123456789Z",
      },
      { "date": "now", "log": "x", "stream": "stderr", "time": "2024-01-02T03:04:06Z" },
      { "date": 1704164646.5, "log": "x", "time": "2024-01-02T03:04:06.5+02:00" },
      { "date": "now", "log": "x", "time": "2024-13-02T03:04:06.5Z" },
    ],
  },
  {
    name: "cri",
    input: [
      "2024-01-02T03:04:05.123456789Z stdout F hello world",
      "2024-01-02T03:04:05.123456789+02:00 stderr P partial",
      "2024-01-02T03:04:05Z stdout F nofrac",
      "bad",
      "2024-01-02T03:04:05.1Z stdout F ",
    ],
    tail: "parser: cri",
    records: [
      {
        "date": 1704164645.123457,
        "time": "2024-01-02T03:04:05.123456789Z",
        "stream": "stdout",
        "logtag": "F",
        "message": "hello world",
      },
      {
        "date": 1704157445.123457,
        "time": "2024-01-02T03:04:05.123456789+02:00",
        "stream": "stderr",
        "logtag": "P",
        "message": "partial",
      },
      { "date": "now", "stream": "stdout", "logtag": "F", "message": "nofrac" },
      { "date": "now", "log": "bad" },
      { "date": 1704164645.1, "time": "2024-01-02T03:04:05.1Z", "stream": "stdout", "logtag": "F" },
    ],
  },
]);
