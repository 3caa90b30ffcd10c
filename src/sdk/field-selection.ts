import type { Edit } from "./edits.ts";
import type { FieldChoice } from "./nesting.ts";
import { type Body, setField } from "./record.ts";
import type { RecordTest } from "./record-test.ts";
import { SelectionQuestion, type SelectionWords } from "./selection-question.ts";

/** A program logs few different names; what exceeds this is not remembered. */
const MAX_REMEMBERED_NAMES = 1000;

/** Fields to keep, or to remove, by names that are compared whatever the case of their letters. */
export interface FieldSelection extends FieldChoice {
  readonly keeps: boolean;
}

/** Removes fields, or all others, by name. Makes a new body where something goes. */
export function selectFields(selection: FieldSelection): Edit {
  const stays = stayTest(selection);
  const words = wordsOf(selection);
  return {
    apply(body) {
      for (const key in body) if (!stays(key)) return pick(body, stays);
      return body;
    },
    write: words && ((to) => to.step("select", ...words(to))),
  };
}

/** Whether a record would keep a field. */
export function keepsAnyField(selection: FieldSelection): RecordTest {
  const stays = stayTest(selection);
  const test = (body: Body): boolean => {
    for (const key in body) if (stays(key)) return true;
    return false;
  };
  const words = wordsOf(selection);
  return { test, question: words && new SelectionQuestion(words, test) };
}

function pick(body: Body, stays: (key: string) => boolean): Body {
  const rest: Body = {};
  for (const key in body) if (stays(key)) setField(rest, key, body[key]!);
  return rest;
}

function stayTest({ names, prefixes, keeps }: FieldSelection): (key: string) => boolean {
  const exact = new Set(names.map((name) => name.toLowerCase()));
  const starts = prefixes.map((prefix) => prefix.toLowerCase());
  const remembered = new Map<string, boolean>();
  return (key) => {
    let answer = remembered.get(key);
    if (answer === undefined) {
      const found = key.toLowerCase();
      const isChosen = exact.has(found) || starts.some((prefix) => found.startsWith(prefix));
      answer = isChosen === keeps;
      if (remembered.size >= MAX_REMEMBERED_NAMES) remembered.clear();
      remembered.set(key, answer);
    }
    return answer;
  };
}

/** Only ASCII: other letters may have a lower case of another length. */
function wordsOf({ names, prefixes, keeps }: FieldSelection): SelectionWords | undefined {
  const all = [...names, ...prefixes];
  if (!all.every((name) => /^[\x20-\x7e]+$/.test(name))) return undefined;
  return (to) => [
    Number(keeps),
    all.length,
    ...names.flatMap((name) => [...to.name(name.toLowerCase()), 0]),
    ...prefixes.flatMap((prefix) => [...to.prefix(prefix.toLowerCase()), 1]),
  ];
}
