import type { Accessor } from "../lib/record-accessor.ts";
import { type EditProgram, isPlainName } from "./edit-program.ts";
import type { Edit } from "./edits.ts";
import { type Body, isBody, setField } from "./record.ts";

/** How names change on their way into a map or out of it. At most one of the two. */
export interface NestNames {
  readonly addPrefix?: string | undefined;
  readonly removePrefix?: string | undefined;
}

/** Names of fields, and beginnings of names. */
export interface FieldChoice {
  readonly names: readonly string[];
  readonly prefixes: readonly string[];
}

/** Moves fields into one map, which replaces what stood in its place and comes last. */
export function nestFields(choice: FieldChoice, under: Accessor, names: NestNames): Edit {
  const { prefixes } = choice;
  const wanted = new Set(choice.names);
  const goes = (key: string): boolean =>
    wanted.has(key) || prefixes.some((prefix) => key.startsWith(prefix));
  const renamed = renamer(names);
  return {
    apply(body) {
      const nested: Body = {};
      const rest: Body = {};
      let found = false;
      for (const key in body) {
        if (goes(key)) {
          found = true;
          setField(nested, renamed(key), body[key]!);
        } else setField(rest, key, body[key]!);
      }
      if (!found) return body;
      under.delete(rest);
      return under.set(rest, nested) ? rest : body;
    },
    write: writeNest(choice, under, names),
  };
}

/** Takes the fields out of a map. A field that is there already is replaced, and the lifted ones come last. */
export function liftFields(from: Accessor, names: NestNames, onNoMap: () => void): Edit {
  const renamed = renamer(names);
  return {
    apply(body) {
      const nested = from.exact(body);
      if (nested === undefined) return body;
      if (!isBody(nested)) {
        onNoMap();
        return body;
      }
      from.delete(body);
      for (const key in nested) {
        const name = renamed(key);
        delete body[name];
        setField(body, name, nested[key]!);
      }
      return body;
    },
    write: writeLift(from, names),
  };
}

function renamer({ addPrefix, removePrefix }: NestNames): (key: string) => string {
  if (addPrefix !== undefined) return (key) => addPrefix + key;
  if (removePrefix === undefined) return (key) => key;
  return (key) => key.startsWith(removePrefix) ? key.slice(removePrefix.length) : key;
}

function writeNest(
  { names, prefixes }: FieldChoice,
  under: Accessor,
  change: NestNames,
): Edit["write"] {
  // An empty prefix takes everything.
  const arePlain = [...names, ...prefixes].every((name) => name !== "" && name.isWellFormed());
  if (!arePlain || !isTopLevel(under) || !isPlainChange(change)) return undefined;
  return (to) => {
    const words = [
      ...names.map((name) => [...to.name(name), 0]),
      ...prefixes.map((prefix) => [...to.prefix(prefix), 1]),
    ];
    const place = to.name(under.path[0] as string);
    to.step("nest", place, ...changeOf(to, change), words.length, ...words.flat());
  };
}

function writeLift(from: Accessor, change: NestNames): Edit["write"] {
  if (!isTopLevel(from) || !isPlainChange(change)) return undefined;
  return (to) => to.step("lift", to.name(from.path[0] as string), ...changeOf(to, change));
}

function changeOf(to: EditProgram, { addPrefix = "", removePrefix = "" }: NestNames) {
  return [to.prefix(addPrefix), to.prefix(removePrefix)] as const;
}

function isTopLevel({ path: [name, ...more] }: Accessor): boolean {
  return more.length === 0 && isPlainName(name as string);
}

/** What is made of names may begin with a digit or be `__proto__`: the first the kernel sees, the second is ruled out. */
function isPlainChange({ addPrefix = "", removePrefix = "" }: NestNames): boolean {
  return addPrefix.isWellFormed() && removePrefix.isWellFormed();
}
