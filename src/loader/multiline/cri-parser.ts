import { readCriLine } from "../../lib/multiline/cri-line.ts";
import { compileStrptime, type TimeReader } from "../../lib/strptime.ts";
import type { LineParser } from "../../sdk/context.ts";

/**
 * The parser inside multiline's `cri`, written by hand because every line of a Kubernetes node goes through
 * it. It gives what Fluent Bit's regular expression gives: `time`, `stream`, `_p` and `log`.
 */
export function createCriParser(nowSec: () => number): LineParser {
  const reader = criTimeReader(nowSec);
  return {
    name: "cri",
    parse(text, sec, nsec) {
      const line = readCriLine(text);
      if (line === null) return null;
      const { time, stream, part, content } = line;
      const known = reader.read(time);
      return {
        sec: known ? reader.sec : sec,
        nsec: known ? reader.nsec : nsec,
        body: { time, stream, _p: part, log: content },
      };
    },
  };
}

/** Reads the time that a CRI line starts with. */
export function criTimeReader(nowSec: () => number): TimeReader {
  return compileStrptime("%Y-%m-%dT%H:%M:%S.%L%z", { strict: false, nowSec });
}
