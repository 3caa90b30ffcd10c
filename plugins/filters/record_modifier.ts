import {
  type Accessor,
  anyOf,
  ConfigError,
  defineFilter,
  type Edit,
  field,
  type FieldChoice,
  keepRecords,
  keepsAnyField,
  recordEditor,
  type RecordTest,
  selectFields,
  setText,
  someRecord,
} from "logcollector/plugin";
import * as z from "zod";

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
    const additions = record.map(([key, value]) => setText(key, value));
    if (uuid_key !== undefined) additions.push(setUuid(uuid_key));
    const selection = allowed.length > 0
      ? keepOnly(allowed)
      : remove_key.length > 0
      ? removeAll(remove_key)
      : { edits: [], keepsAny: undefined };
    const editor = recordEditor([...selection.edits, ...additions]);
    const keepsAny = additions.length === 0 ? selection.keepsAny : undefined;
    return {
      borrows: true,
      process(batch) {
        if (keepsAny !== undefined) {
          // Records that lose every field go, but where all would go Fluent Bit leaves them as they were.
          if (!someRecord(batch, keepsAny)) return batch;
          keepRecords(batch, keepsAny);
        }
        editor.edit(batch);
        return batch;
      },
    };
  },
});

interface Selection {
  readonly edits: readonly Edit[];
  /** Whether something of a record is left. */
  readonly keepsAny: RecordTest | undefined;
}

function removeAll(names: readonly Accessor[]): Selection {
  const selection = { ...choiceOf(names), keeps: false };
  const places = names.filter(isNested);
  const remove: Edit = {
    apply(body) {
      for (const place of places) place.delete(body);
      return body;
    },
  };
  // A map that loses its fields stays.
  const edits = [...places.length > 0 ? [remove] : [], selectFields(selection)];
  return { edits, keepsAny: keepsAnyField(selection) };
}

function keepOnly(names: readonly Accessor[]): Selection {
  const selection = { ...choiceOf(names), keeps: true };
  const places = names.filter(isNested);
  const keepsTop = keepsAnyField(selection);
  if (places.length === 0) return { edits: [selectFields(selection)], keepsAny: keepsTop };
  const { apply: select } = selectFields(selection);
  const keep: Edit = {
    apply(body) {
      const rest = select(body);
      // Nothing was removed: the body itself has it all.
      if (rest === body) return body;
      for (const place of places) {
        const value = place.exact(body);
        if (value !== undefined) place.set(rest, value);
      }
      return rest;
    },
  };
  const keepsPlace: RecordTest = {
    test: (body) => places.some((place) => place.exact(body) !== undefined),
  };
  return { edits: [keep], keepsAny: anyOf([keepsTop, keepsPlace]) };
}

function setUuid(name: Accessor): Edit {
  return {
    apply(body) {
      name.delete(body);
      name.set(body, crypto.randomUUID());
      return body;
    },
  };
}

function isNested(name: Accessor): boolean {
  return name.path.length > 1;
}

/** A trailing asterisk stands for any rest. */
function choiceOf(names: readonly Accessor[]): FieldChoice {
  const flat = names.filter((name) => !isNested(name)).map(({ source }) => source);
  return {
    names: flat.filter((name) => !name.endsWith("*")),
    prefixes: flat.filter((name) => name.endsWith("*")).map((name) => name.slice(0, -1)),
  };
}
