import { type Accessor, compileFieldName } from "../lib/record-accessor.ts";
import { type EditProgram, isPlainName } from "./edit-program.ts";
import { type Body, cloneValue, setField } from "./record.ts";

/** A change of a record's fields, for {@link recordEditor}. */
export interface Edit {
  /** Changes a body, in place or by making a new one. */
  apply(body: Body): Body;
  /** Writes down what {@link apply} does, for records that are bytes; `undefined` when that takes values. */
  readonly write?: ((program: EditProgram) => void) | undefined;
}

/** Sets a field to a text. One that is there moves to the end, as a new one would be there. */
export function setText(name: string, value: string): Edit {
  const field = compileFieldName(name);
  return {
    apply(body) {
      field.delete(body);
      field.set(body, value);
      return body;
    },
    write: topLevel([field], (to) => to.step("set", ...to.member(name, value))),
  };
}

/** Adds a field with a text where there is none. */
export function addText(name: string, value: string): Edit {
  const field = compileFieldName(name);
  return {
    apply(body) {
      if (field.exact(body) === undefined) field.set(body, value);
      return body;
    },
    write: topLevel([field], (to) => to.step("add", ...to.member(name, value))),
  };
}

/** Removes a field. */
export function removeField(name: string): Edit {
  const field = compileFieldName(name);
  return {
    apply(body) {
      field.delete(body);
      return body;
    },
    write: topLevel([field], (to) => to.step("remove", to.name(name))),
  };
}

/** Removes all fields whose name is unwanted. */
export function removeFields(isUnwanted: (name: string) => boolean): Edit {
  return {
    apply(body) {
      for (const key in body) if (isUnwanted(key)) delete body[key];
      return body;
    },
  };
}

/** Removes all fields whose name starts so. */
export function removePrefixed(prefix: string): Edit {
  const { apply } = removeFields((key) => key.startsWith(prefix));
  return { apply, write: prefixed(prefix, (to) => to.step("removePrefix", to.prefix(prefix))) };
}

/** Moves the fields whose name starts so to the start of the record; the order stays otherwise. */
export function moveToStart(prefix: string): Edit {
  return {
    apply: (body) => partition(body, (key) => key.startsWith(prefix)),
    write: prefixed(prefix, (to) => to.step("moveToStart", to.prefix(prefix))),
  };
}

/** The same, to the end. */
export function moveToEnd(prefix: string): Edit {
  return {
    apply: (body) => partition(body, (key) => !key.startsWith(prefix)),
    write: prefixed(prefix, (to) => to.step("moveToEnd", to.prefix(prefix))),
  };
}

function partition(body: Body, goesFirst: (key: string) => boolean): Body {
  const result: Body = {};
  for (const key in body) if (goesFirst(key)) setField(result, key, body[key]!);
  for (const key in body) if (!goesFirst(key)) setField(result, key, body[key]!);
  return result;
}

/** How {@link renameField} and {@link copyField} do it. */
export interface TransferOptions {
  /** Replaces a target that exists, instead of doing nothing. */
  readonly replace: boolean;
}

/** Gives a field another name, in its place. */
export function renameField(from: string, to: string, { replace }: TransferOptions): Edit {
  return transfer(from, to, { replace, copy: false });
}

/** Copies a field; the copy comes right behind it. */
export function copyField(from: string, to: string, { replace }: TransferOptions): Edit {
  return transfer(from, to, { replace, copy: true });
}

interface Transfer extends TransferOptions {
  /** The source stays. */
  readonly copy: boolean;
}

function transfer(from: string, to: string, how: Transfer): Edit {
  const source = compileFieldName(from);
  const target = compileFieldName(to);
  const isFlat = source.path.length === 1 && target.path.length === 1;
  return {
    apply: isFlat ? transferInPlace(from, to, how) : transferNested(source, target, how),
    write: topLevel([source, target], (program) =>
      program.step(
        how.copy ? "copy" : "rename",
        program.name(from),
        program.name(to),
        Number(how.replace),
      )),
  };
}

/** The target takes the source's place among the fields, or the one right after it. */
function transferInPlace(
  from: string,
  to: string,
  { replace, copy }: Transfer,
): (body: Body) => Body {
  return (body) => {
    if (!Object.hasOwn(body, from)) return body;
    if (!replace && Object.hasOwn(body, to)) return body;
    const result: Body = {};
    for (const key in body) {
      const value = body[key]!;
      // A field that replaces itself vanishes, as in Fluent Bit.
      if (key === to) continue;
      if (key !== from) setField(result, key, value);
      else {
        if (copy) setField(result, from, cloneValue(value));
        setField(result, to, value);
      }
    }
    return result;
  };
}

function transferNested(
  source: Accessor,
  target: Accessor,
  { replace, copy }: Transfer,
): (body: Body) => Body {
  return (body) => {
    const value = source.exact(body);
    if (value === undefined) return body;
    if (!replace && target.exact(body) !== undefined) return body;
    if (copy) target.set(body, cloneValue(value));
    else {
      source.delete(body);
      // Something that is no map is in the way of the target: the value goes back.
      if (!target.set(body, value)) source.set(body, value);
    }
    return body;
  };
}

type Write = (program: EditProgram) => void;

/** Only names of the top level that stay in their place. */
function topLevel(fields: readonly Accessor[], write: Write): Write | undefined {
  const arePlain = fields.every(({ path: [name, ...more] }) =>
    more.length === 0 && isPlainName(name as string)
  );
  return arePlain ? write : undefined;
}

function prefixed(prefix: string, write: Write): Write | undefined {
  return prefix !== "" && prefix.isWellFormed() ? write : undefined;
}
