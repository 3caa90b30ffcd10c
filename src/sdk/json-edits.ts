import { parseJsonObject } from "../lib/json-object.ts";
import { stringifyJson } from "../lib/json-text.ts";
import type { Kernels } from "../lib/kernels.ts";
import type { BuiltEdit } from "./edit-program.ts";
import type { JsonLines } from "./json-lines.ts";
import { textOf } from "./json-records.ts";
import type { Body } from "./record.ts";

const NONE: ReadonlyMap<number, string> = new Map();

export interface JsonEdit {
  readonly program: BuiltEdit;
  /** Only records whose answer is yes are changed. */
  readonly areAsked: boolean;
  /** The same for one record, whatever its answer. */
  readonly apply: (body: Body) => Body;
}

/** Changes JSON in the kernels' memory. Returns `undefined`, with nothing changed, when the program does not fit there. */
export function editJson(
  json: JsonLines,
  kernel: Kernels,
  { program, areAsked, apply }: JsonEdit,
): JsonLines | undefined {
  const { call, bytes } = kernel;
  const { count, tail } = json;
  const tailAt = program.load(kernel, tail?.bytes);
  const base = json.bytes.byteOffset;
  const into = base === bytes.byteOffset + kernel.edited ? kernel.editedToo : kernel.edited;
  if (tailAt === undefined || !call.startEdit(into, into + kernel.maxEdited, tailAt)) {
    return undefined;
  }
  let rewritten: Map<number, string> | undefined;
  const elsewhere = json.rewritten.keys();
  let known = elsewhere.next();
  for (let i = 0; i < count; i++) {
    const until = known.done ? count : known.value;
    i = call.editLines(base, i, until, areAsked);
    if (i === count) break;
    if (i === until) known = elsewhere.next();
    const body = parseJsonObject(json.rewritten.get(i) ?? textOf(json, i))!;
    tail?.addTo(body);
    (rewritten ??= new Map()).set(i, stringifyJson(apply(body)));
    call.noteEditedElsewhere(i);
  }
  return {
    ...json,
    bytes: bytes.subarray(into, call.editedTo.value),
    rewritten: rewritten ?? NONE,
    tail: undefined,
  };
}
