import { expect, test } from "bun:test";
import { load } from "./support.ts";

test("a regular expression that a hostile line makes slow is warned of at its place, once", () => {
  const { warnings } = load(`parsers:
  - {name: p, format: regex, regex: '^(a+)+$'}
multiline_parsers:
  - name: m
    rules:
      - {state: start_state, regex: '/^(\\w*)*x/', next_state: cont}
pipeline:
  inputs:
    - {name: dummy, tag: '(a+)+$'}
  filters:
    - name: grep
      match: '*'
      exclude: log ^x$
      regex:
        - log ^(\\S+\\s?)*$
        - log ^(\\S+\\s)*$
  outputs:
    - {name: stdout, match_regex: '^(t|t)*$'}
`);
  const places = warnings.map((warning) => warning.split(" has a repetition")[0]);
  expect(places).toEqual([
    'config.yaml:15:11: option "regex" of filter "grep"',
    'config.yaml:18:35: option "match_regex" of output "stdout"',
    'config.yaml:2:37: option "regex" of parser "p"',
    'config.yaml:6:7: option "rules" of multiline parser "m"',
  ]);
});
