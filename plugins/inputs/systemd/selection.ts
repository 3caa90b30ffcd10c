import { PRIORITY_NAMES } from "./priorities.ts";

/** Something that a field of an entry may fulfil. */
export interface Term {
  readonly field: string;
  readonly matches: (value: string) => boolean;
  /** The number of the latest entry that fulfils it. */
  hitBy: number;
}

/** One of these must hold: all its terms are fulfilled. */
type Alternative = readonly Term[];

/** What an entry must fulfil to be read. */
export class Selection {
  /** By the name of their field. */
  readonly terms = new Map<string, Term[]>();
  /** Of each group one alternative must hold. */
  private readonly groups: Alternative[][] = [];
  private readonly excluded: Term[] = [];

  get isEverything(): boolean {
    return this.groups.length === 0 && this.excluded.length === 0;
  }

  /** Whether the entry with this number is wanted, once its fields have been shown to the terms. */
  accepts(entry: number): boolean {
    for (const { hitBy } of this.excluded) if (hitBy === entry) return false;
    return this.groups.every((group) =>
      group.some((terms) => terms.every(({ hitBy }) => hitBy === entry))
    );
  }

  requireOneOf(alternatives: readonly Alternative[]): void {
    if (alternatives.length > 0) this.groups.push([...alternatives]);
  }

  exclude(term: Term): void {
    this.excluded.push(term);
  }

  term(field: string, matches: (value: string) => boolean): Term {
    const term = { field, matches, hitBy: -1 };
    const others = this.terms.get(field);
    if (others === undefined) this.terms.set(field, [term]);
    else others.push(term);
    return term;
  }
}

/** The options that choose entries. */
export interface SelectionOptions {
  readonly systemd_filter: readonly string[];
  readonly systemd_filter_type: "or" | "and";
  readonly units: readonly string[];
  readonly identifiers: readonly string[];
  readonly priority?: ReadonlySet<number> | undefined;
  readonly include_kernel: boolean;
}

/** Puts together what options say. Throws `RangeError` for a filter that is not `FIELD=value`. */
export function selectionOf(options: SelectionOptions): Selection {
  const selection = new Selection();
  const equal = (field: string, value: string) => selection.term(field, (text) => text === value);
  const filters = options.systemd_filter.map((text) => {
    const at = text.indexOf("=");
    if (at < 1) {
      throw new RangeError(
        `expected FIELD=value, as in _SYSTEMD_UNIT=ssh.service, got ${JSON.stringify(text)}`,
      );
    }
    return equal(text.slice(0, at), text.slice(at + 1));
  });
  if (options.systemd_filter_type === "or") selection.requireOneOf(filters.map((term) => [term]));
  else for (const term of filters) selection.requireOneOf([[term]]);
  selection.requireOneOf(options.units.flatMap((unit) => ofUnit(selection, unit)));
  selection.requireOneOf(options.identifiers.map((name) => [equal("SYSLOG_IDENTIFIER", name)]));
  const { priority } = options;
  if (priority !== undefined && priority.size < PRIORITY_NAMES.length) {
    selection.requireOneOf([[selection.term("PRIORITY", (text) => priority.has(Number(text)))]]);
  }
  if (!options.include_kernel) selection.exclude(equal("_TRANSPORT", "kernel"));
  return selection;
}

/** What a unit wrote, and what the system wrote of it: its starts and stops, and that it crashed. */
function ofUnit(selection: Selection, unit: string): Term[][] {
  const matches = unitMatch(unit);
  const term = (field: string) => selection.term(field, matches);
  const isBy = (field: string, value: string) => selection.term(field, (text) => text === value);
  return [
    [term("_SYSTEMD_UNIT")],
    [isBy("_PID", "1"), term("UNIT")],
    [isBy("_UID", "0"), term("OBJECT_SYSTEMD_UNIT")],
    [isBy("_UID", "0"), term("COREDUMP_UNIT")],
  ];
}

const UNIT_TYPES = /\.(service|socket|target|device|mount|automount|swap|timer|path|slice|scope)$/;

function unitMatch(unit: string): (value: string) => boolean {
  const isPattern = /[*?]/.test(unit);
  const name = UNIT_TYPES.test(unit) || (isPattern && unit.endsWith("*"))
    ? unit
    : `${unit}.service`;
  if (!isPattern) return (value) => value === name;
  const source = name.replace(/[\\^$.|+()[\]{}]/g, "\\$&").replaceAll("*", ".*").replaceAll(
    "?",
    ".",
  );
  const pattern = new RegExp(`^${source}$`, "s");
  return (value) => pattern.test(value);
}
