import {
  type Accessor,
  type Body,
  compileFieldName,
  ConfigError,
  defineFilter,
  field,
  type Filter,
  recordEditor,
  setField,
  setText,
} from "logcollector/plugin";
import * as z from "zod";

/** A program logs few different names; what exceeds this is not remembered. */
const MAX_REMEMBERED_NAMES = 1000;

const name = field.fieldName();
const config = z.object({
  record: field.repeated(field.words("key", "value")).default([])
    .describe("Fields to set, each `KEY VALUE`; a field that exists is replaced"),
  remove_key: field.repeated(name).default([])
    .describe("Fields to remove, in any case of their letters; `abc*` removes all that start so"),
  allowlist_key: field.repeated(name).default([])
    .describe("Remove all fields except these, named as in remove_key"),
  whitelist_key: field.repeated(name).default([])
    .describe("The older name of allowlist_key"),
  uuid_key: field.fieldName().optional()
    .describe("Field to set to a new UUID in every record"),
});

export default defineFilter({
  name: "record_modifier",
  summary: "Sets fields to texts or a UUID, and removes or keeps fields by name.",
  config,
  create({ record, remove_key, allowlist_key, whitelist_key, uuid_key }) {
    const allowed = [...allowlist_key, ...whitelist_key];
    if (remove_key.length > 0 && allowed.length > 0) {
      throw new ConfigError('cannot use both "remove_key" and "allowlist_key"', "remove_key");
    }
    const select = allowed.length > 0
      ? keepOnly(allowed)
      : remove_key.length > 0
      ? removeAll(remove_key)
      : (body: Body) => body;
    if (remove_key.length === 0 && allowed.length === 0 && uuid_key === undefined) {
      return setOnly(record);
    }
    const additions = record.map(([key, value]) => ({ key: compileFieldName(key), value }));
    const finish = (body: Body): Body => {
      for (const { key, value } of additions) replace(body, key, value);
      if (uuid_key !== undefined) replace(body, uuid_key, crypto.randomUUID());
      return body;
    };
    return {
      process(batch) {
        const { records } = batch;
        const bodies = records.map((entry) => finish(select(entry.body)));
        // Records that lose every field go, but where all would go Fluent Bit leaves them as they were.
        if (bodies.every(isEmpty)) return batch;
        let kept = 0;
        for (let i = 0; i < records.length; i++) {
          if (isEmpty(bodies[i]!)) continue;
          records[i]!.body = bodies[i]!;
          records[kept++] = records[i]!;
        }
        records.length = kept;
        return batch;
      },
    };
  },
});

/** Nobody loses a field, and no values are needed. */
function setOnly(record: readonly (readonly [string, string])[]): Filter {
  const editor = recordEditor(record.map(([key, value]) => setText(key, value)));
  return {
    borrows: true,
    process(batch) {
      editor.edit(batch);
      return batch;
    },
  };
}

function isEmpty(body: Body): boolean {
  for (const _ in body) return false;
  return true;
}

/** The field goes to the end of the record, as a new one would. */
function replace(body: Body, key: Accessor, value: string): void {
  key.delete(body);
  key.set(body, value);
}

function removeAll(names: readonly Accessor[]): (body: Body) => Body {
  const unwanted = matcher(names);
  const places = names.filter(isNested);
  return (body) => {
    for (const place of places) place.delete(body);
    for (const key in body) if (unwanted(key)) return without(body, unwanted);
    return body;
  };
}

/** A new body: the old one may be needed again, see `process`. */
function without(body: Body, unwanted: (key: string) => boolean): Body {
  const rest: Body = {};
  for (const key in body) if (!unwanted(key)) setField(rest, key, body[key]!);
  return rest;
}

function keepOnly(names: readonly Accessor[]): (body: Body) => Body {
  const wanted = matcher(names);
  const places = names.filter(isNested);
  return (body) => {
    const rest = without(body, (key) => !wanted(key));
    for (const place of places) {
      const value = place.exact(body);
      if (value !== undefined) place.set(rest, value);
    }
    return rest;
  };
}

function isNested(name: Accessor): boolean {
  return name.path.length > 1;
}

/** Names are compared without regard to case, and a trailing asterisk stands for any rest. */
function matcher(names: readonly Accessor[]): (key: string) => boolean {
  const lower = names.filter((name) => !isNested(name)).map((name) => name.source.toLowerCase());
  const exact = new Set(lower.filter((name) => !name.endsWith("*")));
  const prefixes = lower.filter((name) => name.endsWith("*")).map((name) => name.slice(0, -1));
  const remembered = new Map<string, boolean>();
  return (key) => {
    let answer = remembered.get(key);
    if (answer === undefined) {
      const found = key.toLowerCase();
      answer = exact.has(found) || prefixes.some((prefix) => found.startsWith(prefix));
      if (remembered.size >= MAX_REMEMBERED_NAMES) remembered.clear();
      remembered.set(key, answer);
    }
    return answer;
  };
}
