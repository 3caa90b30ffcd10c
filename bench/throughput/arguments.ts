import { basename } from "node:path";
import { parseArgs } from "node:util";

export const HELP = `npm run bench -- [options]

  --lines N           lines per pipeline (default 1000000)
  --runs N            runs of each collector, in turn; medians are printed (default 3)
  --only TEXT         only pipelines whose name contains TEXT
  --peer NAME=PATH    another collector's binary, run in turn with the same configuration; repeatable.
                      Fluent Bit, or another build of this one. Without NAME it is called as its file is
  --json FILE         writes every single run as JSON too
`;

/** The name of the collector that is measured. */
export const OURS = "logcollector";

/** A collector to compare with. */
export interface Peer {
  readonly name: string;
  readonly path: string;
}

export interface ThroughputOptions {
  readonly lines: number;
  readonly runs: number;
  readonly only: string;
  readonly peers: readonly Peer[];
  readonly json: string | undefined;
  readonly help: boolean;
}

/** Reads the command line. Throws a RangeError that says what is wrong with it. */
export function readArguments(args: readonly string[]): ThroughputOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      lines: { type: "string", default: "1000000" },
      runs: { type: "string", default: "3" },
      only: { type: "string", default: "" },
      peer: { type: "string", multiple: true, default: [] },
      json: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  return {
    lines: countFrom("--lines", values.lines),
    runs: countFrom("--runs", values.runs),
    only: values.only,
    peers: distinct(values.peer.map(peerFrom)),
    json: values.json,
    help: values.help,
  };
}

/** A whole number above 0. */
export function countFrom(option: string, text: string): number {
  const count = Number(text);
  if (Number.isSafeInteger(count) && count > 0) return count;
  throw new RangeError(`Cannot use ${option}: it must be a whole number above 0, not "${text}"`);
}

function peerFrom(text: string): Peer {
  const equals = text.indexOf("=");
  // A path may have an equals sign, but a name has no slash.
  const hasName = equals !== -1 && !text.slice(0, equals).includes("/");
  const path = hasName ? text.slice(equals + 1) : text;
  const name = hasName ? text.slice(0, equals) : basename(path);
  if (name !== "" && path !== "") return { name, path };
  throw new RangeError(`Cannot use --peer: it must be NAME=PATH or PATH, not "${text}"`);
}

function distinct(peers: readonly Peer[]): readonly Peer[] {
  const names = [OURS, ...peers.map(({ name }) => name)];
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice === undefined) return peers;
  throw new RangeError(`Cannot use --peer: two collectors are called "${twice}"; give NAME=PATH`);
}
