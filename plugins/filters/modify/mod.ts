import {
  addText,
  allOf,
  compilePattern,
  copyField,
  defineFilter,
  type Edit,
  field,
  moveToEnd,
  moveToStart,
  optionOrder,
  recordEditor,
  removeField,
  removeFields,
  removePrefixed,
  renameField,
  setText,
} from "logcollector/plugin";
import * as z from "zod";
import { compileCondition } from "./conditions.ts";
import { splitWords } from "./words.ts";

const one = (form: string, make: (name: string) => Edit) =>
  field.repeated(field.custom(form, (text) => make(splitWords(text, form, 1)[0]!))).default([]);

const two = (form: string, make: (name: string, other: string) => Edit) =>
  field.repeated(
    field.custom(form, (text) => make(...splitWords(text, form, 2) as [string, string])),
  ).default([]);

const removeMatching = (regex: string): Edit => {
  const pattern = compilePattern(regex);
  return removeFields((key) => pattern.test(key));
};

type Transfer = typeof renameField;
const soft = (transfer: Transfer) => (from: string, to: string): Edit =>
  transfer(from, to, { replace: false });
const hard = (transfer: Transfer) => (from: string, to: string): Edit =>
  transfer(from, to, { replace: true });

const condition = field.custom("CONDITION KEY [VALUE]", compileCondition);

const config = z.object({
  set: two("KEY VALUE", setText).describe("Set a field to a text, replacing what is there"),
  add: two("KEY VALUE", addText).describe("Add a field with a text where it is absent"),
  remove: one("KEY", removeField).describe("Remove a field"),
  // Despite its name, the wildcard is a prefix: an asterisk in it is an asterisk.
  remove_wildcard: one("PREFIX", removePrefixed)
    .describe("Remove the fields whose name starts with the prefix"),
  remove_regex: one("REGEX", removeMatching).describe("Remove the fields whose name matches"),
  move_to_start: one("PREFIX", moveToStart)
    .describe("Move the fields whose name starts with the prefix to the start of the record"),
  move_to_end: one("PREFIX", moveToEnd)
    .describe("Move the fields whose name starts with the prefix to the end of the record"),
  rename: two("KEY NEW_KEY", soft(renameField)).describe(
    "Rename a field where the new name is free",
  ),
  hard_rename: two("KEY NEW_KEY", hard(renameField))
    .describe("Rename a field, replacing one that has the new name"),
  copy: two("KEY NEW_KEY", soft(copyField)).describe("Copy a field where the new name is free"),
  hard_copy: two("KEY NEW_KEY", hard(copyField))
    .describe("Copy a field, replacing one that has the new name"),
  condition: field.repeated(condition).default([])
    .describe("Apply the rules only to records for which all conditions hold"),
});

export default defineFilter({
  name: "modify",
  summary: "Sets, removes, renames, copies and moves fields, under conditions.",
  config,
  create(options) {
    const { condition: conditions, ...rules } = options;
    const edits = optionOrder(options).flatMap(({ option, index }) =>
      (rules as Readonly<Record<string, readonly Edit[]>>)[option]?.[index] ?? []
    );
    const editor = recordEditor(edits, conditions.length > 0 ? allOf(conditions) : undefined);
    return {
      borrows: true,
      process(batch) {
        editor.edit(batch);
        return batch;
      },
    };
  },
});
