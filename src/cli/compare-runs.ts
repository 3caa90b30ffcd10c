import { PIPELINE_KINDS } from "../config/catalog.ts";
import type { PipelineChange } from "../engine/pipeline-change.ts";
import type { SpecKind } from "../engine/spec.ts";
import type { Fingerprint } from "./fingerprint.ts";
import type { ReadyRun } from "./ready-run.ts";

/** What came, changed and went, by id. */
export interface Difference {
  readonly added: readonly string[];
  readonly changed: readonly string[];
  readonly removed: readonly string[];
}

export interface Comparison {
  readonly change: PipelineChange;
  readonly differences: Readonly<Record<SpecKind, Difference>>;
}

/**
 * Finds out what stays when `next` comes after `before`. `usesParsers` tells who is to change with the parsers.
 *
 * What takes whose place: first those that are the same under another name, as when one without an alias has another
 * number because one before it is gone; then those of one name and one plugin.
 */
export function compareRuns(
  before: ReadyRun,
  next: ReadyRun,
  usesParsers: (kind: SpecKind, id: string) => boolean,
): Comparison {
  const newParsers = before.parsers !== next.parsers;
  const unchanged = {} as Record<SpecKind, ReadonlySet<string>>;
  const replaces = {} as Record<SpecKind, ReadonlyMap<string, string>>;
  const differences = {} as Record<SpecKind, Difference>;
  for (const kind of PIPELINE_KINDS) {
    const [old, now] = [before.prints[kind], next.prints[kind]];
    const same = now.filter((print) =>
      old.some((each) => Bun.deepEquals(each, print)) &&
      !(newParsers && usesParsers(kind, print.id))
    ).map(({ id }) => id);
    unchanged[kind] = new Set(same);
    replaces[kind] = pair(
      old.filter(({ id }) => !same.includes(id)),
      now.filter(({ id }) => !same.includes(id)),
    );
    differences[kind] = differenceOf(old, now, unchanged[kind]);
  }
  return { change: { spec: next.spec, unchanged, replaces }, differences };
}

function pair(old: readonly Fingerprint[], now: readonly Fingerprint[]): Map<string, string> {
  const pairs = new Map<string, string>();
  const taken = new Set<string>();
  const match = (fits: (a: Fingerprint, b: Fingerprint) => boolean): void => {
    for (const print of now) {
      if (pairs.has(print.id)) continue;
      const found = old.find((each) => !taken.has(each.id) && fits(each, print));
      if (found === undefined) continue;
      pairs.set(print.id, found.id);
      taken.add(found.id);
    }
  };
  match((a, b) => a.id === b.id && Bun.deepEquals(a.content, b.content));
  match((a, b) => Bun.deepEquals(a.content, b.content));
  match((a, b) => a.id === b.id);
  return pairs;
}

function differenceOf(
  old: readonly Fingerprint[],
  now: readonly Fingerprint[],
  unchanged: ReadonlySet<string>,
): Difference {
  const ids = (prints: readonly Fingerprint[]) => prints.map(({ id }) => id);
  const [before, after] = [new Set(ids(old)), new Set(ids(now))];
  return {
    added: ids(now).filter((id) => !before.has(id)),
    changed: ids(now).filter((id) => before.has(id) && !unchanged.has(id)),
    removed: ids(old).filter((id) => !after.has(id)),
  };
}
