import { type Body, defineFilter, field, optionOrder } from "logcollector/plugin";
import * as z from "zod";
import { compileCondition, type Condition } from "./conditions.ts";
import {
  add,
  copy,
  hardCopy,
  hardRename,
  moveToEnd,
  moveToStart,
  type Operation,
  remove,
  removeRegex,
  removeWildcard,
  rename,
  set,
} from "./operations.ts";
import { splitWords } from "./words.ts";

const one = (form: string, make: (name: string) => Operation) =>
  field.repeated(field.custom(form, (text) => make(splitWords(text, form, 1)[0]!))).default([]);

const two = (form: string, make: (name: string, other: string) => Operation) =>
  field.repeated(
    field.custom(form, (text) => make(...splitWords(text, form, 2) as [string, string])),
  ).default([]);

const condition = field.custom("CONDITION KEY [VALUE]", compileCondition);

const config = z.object({
  set: two("KEY VALUE", set).describe("Set a field to a text, replacing what is there"),
  add: two("KEY VALUE", add).describe("Add a field with a text where it is absent"),
  remove: one("KEY", remove).describe("Remove a field"),
  remove_wildcard: one("PREFIX", removeWildcard)
    .describe("Remove the fields whose name starts with the prefix"),
  remove_regex: one("REGEX", removeRegex).describe("Remove the fields whose name matches"),
  move_to_start: one("PREFIX", moveToStart)
    .describe("Move the fields whose name starts with the prefix to the start of the record"),
  move_to_end: one("PREFIX", moveToEnd)
    .describe("Move the fields whose name starts with the prefix to the end of the record"),
  rename: two("KEY NEW_KEY", rename).describe("Rename a field where the new name is free"),
  hard_rename: two("KEY NEW_KEY", hardRename)
    .describe("Rename a field, replacing one that has the new name"),
  copy: two("KEY NEW_KEY", copy).describe("Copy a field where the new name is free"),
  hard_copy: two("KEY NEW_KEY", hardCopy)
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
    const operations = optionOrder(options).flatMap(({ option, index }) =>
      (rules as Readonly<Record<string, readonly Operation[]>>)[option]?.[index] ?? []
    );
    return {
      process(batch) {
        for (const record of batch.records) {
          if (holds(conditions, record.body)) record.body = apply(operations, record.body);
        }
        return batch;
      },
    };
  },
});

function holds(conditions: readonly Condition[], body: Body): boolean {
  for (let i = 0; i < conditions.length; i++) if (!conditions[i]!(body)) return false;
  return true;
}

function apply(operations: readonly Operation[], body: Body): Body {
  for (let i = 0; i < operations.length; i++) body = operations[i]!(body);
  return body;
}
