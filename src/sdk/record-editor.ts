import { kernels } from "../lib/kernels.ts";
import type { Batch } from "./batch.ts";
import { type BuiltEdit, EditProgram } from "./edit-program.ts";
import type { Edit } from "./edits.ts";
import { answerAll } from "./json-answers.ts";
import { editJson } from "./json-edits.ts";
import type { JsonLines } from "./json-lines.ts";
import type { Body } from "./record.ts";
import type { RecordTest } from "./record-test.ts";

/** With more of its records than this left over, a batch had better been made records at once. */
const MAX_LEFT_OVER = 0.25;
const FEW_LEFT_OVER = 16;
/** So many batches are edited as records after one that left too many over. */
const REST_BATCHES = 50;

/** Changes the records of batches. */
export interface RecordEditor {
  /** Changes a batch in place. */
  edit(batch: Batch): void;
}

/**
 * Compiles changes that are made one behind the other, to all records or to those for which a test says yes. Makes no
 * records of a batch that still is bytes, where neither the test nor the changes need values; the filter that calls it
 * {@link Filter.borrows}.
 */
export function recordEditor(edits: readonly Edit[], where?: RecordTest): RecordEditor {
  return new Editor(edits, where);
}

class Editor implements RecordEditor {
  private readonly edits: readonly Edit[];
  private readonly where: RecordTest | undefined;
  private readonly program: BuiltEdit | undefined;
  private resting = 0;

  constructor(edits: readonly Edit[], where: RecordTest | undefined) {
    this.edits = edits;
    this.where = where;
    const isKnown = edits.every(({ write }) => write !== undefined) &&
      (where === undefined || where.question !== undefined);
    if (!isKnown) return;
    const program = new EditProgram();
    for (const { write } of edits) write!(program);
    this.program = program.build();
  }

  edit(batch: Batch): void {
    if (this.edits.length === 0) return;
    const edited = this.editBytes(batch);
    if (edited !== undefined) return batch.exchange(edited);
    for (const record of batch.records) record.body = this.apply(record.body);
  }

  private apply(body: Body): Body {
    const { edits, where } = this;
    if (where !== undefined && !where.test(body)) return body;
    for (let i = 0; i < edits.length; i++) body = edits[i]!.apply(body);
    return body;
  }

  private editBytes(batch: Batch): JsonLines | undefined {
    if (this.program === undefined) return undefined;
    if (this.resting > 0) {
      this.resting--;
      return undefined;
    }
    const json = batch.toJson();
    if (json === undefined) return undefined;
    const kernel = kernels();
    const { where } = this;
    if (where !== undefined && !answerAll(where.question!, json, kernel)) return undefined;
    const apply = (body: Body): Body => this.apply(body);
    const areAsked = where !== undefined;
    const edited = editJson(json, kernel, { program: this.program, areAsked, apply });
    const leftOver = edited?.rewritten.size ?? 0;
    if (leftOver > FEW_LEFT_OVER && leftOver > json.count * MAX_LEFT_OVER) {
      this.resting = REST_BATCHES;
    }
    return edited;
  }
}
