import { parseArgs } from "node:util";
import { readPriorities } from "../../../plugins/inputs/systemd/priorities.ts";
import { readSince, type Since } from "../../../plugins/inputs/systemd/since.ts";
import { suggestion } from "../../lib/closest.ts";
import { UsageError } from "../arguments.ts";

export const FORMATS = ["short", "short-iso", "json", "export", "cat"] as const;
export type Format = typeof FORMATS[number];

/** What the user asked `logcollector journal` for. */
export interface JournalCommand {
  readonly paths: readonly string[];
  readonly namespace: string | undefined;
  /** Only so many of the latest entries; `undefined` for all. */
  readonly lines: number | undefined;
  readonly follow: boolean;
  readonly since: Since | undefined;
  readonly until: Since | undefined;
  readonly currentBoot: boolean;
  readonly format: Format;
  readonly units: readonly string[];
  readonly identifiers: readonly string[];
  readonly priority: ReadonlySet<number> | undefined;
  /** `FIELD=value`, of which one must hold. */
  readonly matches: readonly string[];
}

const OPTIONS = {
  directory: { type: "string", short: "D", multiple: true },
  namespace: { type: "string" },
  lines: { type: "string", short: "n" },
  follow: { type: "boolean", short: "f" },
  since: { type: "string", short: "S" },
  until: { type: "string", short: "U" },
  boot: { type: "boolean", short: "b" },
  output: { type: "string", short: "o" },
  unit: { type: "string", short: "u", multiple: true },
  identifier: { type: "string", short: "t", multiple: true },
  priority: { type: "string", short: "p" },
  help: { type: "boolean", short: "h" },
} as const;

/** As many entries are shown before those to come. */
const LINES_BEFORE_FOLLOWING = 10;

/** Reads what follows `logcollector journal`; `undefined` when help is asked for. Throws {@link UsageError}. */
export function parseJournalArguments(args: readonly string[]): JournalCommand | undefined {
  const { values, positionals } = parse(args);
  if (values.help || positionals[0] === "help") return undefined;
  const lines = values.lines === undefined ? undefined : linesOf(values.lines);
  const follow = values.follow ?? false;
  const format = FORMATS.find((name) => name === (values.output ?? "short"));
  if (format === undefined) {
    const hint = suggestion(values.output!, FORMATS) || `: expected one of ${FORMATS.join(", ")}`;
    throw new UsageError(`unknown output format "${values.output}"${hint}`);
  }
  for (const match of positionals) {
    if (!/^[^=]+=/.test(match)) throw new UsageError(`expected FIELD=value, got "${match}"`);
  }
  return {
    paths: values.directory ?? [],
    namespace: values.namespace,
    lines: lines ?? (follow && values.since === undefined ? LINES_BEFORE_FOLLOWING : undefined),
    follow,
    since: read("--since", values.since, readSince),
    until: read("--until", values.until, readSince),
    currentBoot: values.boot ?? false,
    format,
    units: values.unit ?? [],
    identifiers: values.identifier ?? [],
    priority: read("--priority", values.priority, readPriorities),
    matches: positionals,
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true, strict: true });
  } catch (error) {
    const message = (error as Error).message.split(". ")[0]!;
    throw new UsageError(`${message}: see "logcollector journal --help"`);
  }
}

function linesOf(text: string): number {
  if (!/^\d{1,9}$/.test(text)) {
    throw new UsageError(`--lines: expected a whole number, got "${text}"`);
  }
  return Number(text);
}

function read<T>(
  option: string,
  text: string | undefined,
  parse: (text: string) => T,
): T | undefined {
  if (text === undefined) return undefined;
  try {
    return parse(text);
  } catch (error) {
    throw new UsageError(`${option}: ${(error as Error).message}`);
  }
}
