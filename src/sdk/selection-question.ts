import { parseJsonObject } from "../lib/json-object.ts";
import type { Kernels } from "../lib/kernels.ts";
import { askAll } from "./ask-all.ts";
import { type BuiltEdit, EditProgram } from "./edit-program.ts";
import type { JsonLines } from "./json-lines.ts";
import { textOf } from "./json-records.ts";
import type { Body } from "./record.ts";

const UNSURE = 2;

/** Whether to keep fields, how many names there are, and the names: see src/kernels/ask-for-members.ts. */
export type SelectionWords = (to: EditProgram) => number[];

/** Asks for the names of each record of a batch that still is JSON. */
export class SelectionQuestion {
  readonly kind = "selection";
  private readonly test: (body: Body) => boolean;
  private readonly program: BuiltEdit;

  constructor(words: SelectionWords, test: (body: Body) => boolean) {
    this.test = test;
    const program = new EditProgram();
    this.program = program.buildWords(words(program));
  }

  /** Puts the answers into the kernel's memory. False when the question does not fit there. */
  answer(json: JsonLines, kernel: Kernels): boolean {
    const { count, tail } = json;
    const { answers, call } = kernel;
    if (tail !== undefined && this.test(tail.fields)) {
      answers.fill(1, 0, count);
      return true;
    }
    if (this.program.load(kernel, undefined) === undefined) return false;
    const base = json.bytes.byteOffset;
    const ask = (first: number, last: number) => call.askForMembers(base, first, last);
    let unsure = askAll(json, kernel, ask, this.test);
    for (let i = 0; unsure > 0 && i < count; i++) {
      if (answers[i] !== UNSURE) continue;
      answers[i] = Number(this.test(parseJsonObject(textOf(json, i))!));
      unsure--;
    }
    return true;
  }
}
