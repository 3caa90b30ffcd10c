/** What a record holds, as the SDK's `FieldValue` and `Body` have it. */
export type Value =
  | string
  | number
  | bigint
  | boolean
  | null
  | Uint8Array
  | Value[]
  | Fields;
export interface Fields {
  [key: string]: Value;
}

/** A place in a record, compiled once: `log`, `$log`, `$kubernetes['labels']['app']`, `$tags[0]`. */
export interface Accessor {
  /** As it was written. */
  readonly source: string;
  /** The names and array positions that lead there; a single name for a top-level field. */
  readonly path: readonly (string | number)[];
  /**
   * The value there, `undefined` when there is none. As in Fluent Bit, a first field that is no map or
   * array answers for everything below it: `$a['b']` finds the text of `{"a": "text"}`.
   */
  get(fields: Fields): Value | undefined;
  /** The value at exactly this place, `undefined` when there is none. */
  exact(fields: Fields): Value | undefined;
  /** Puts a value there, with the maps that lead to it. False when something else is in the way. */
  set(fields: Fields, value: Value): boolean;
  /** Takes the value away. False when there was none. */
  delete(fields: Fields): boolean;
}

/**
 * Compiles an accessor. Text without a leading `$` names a top-level field, dots and all. Throws
 * SyntaxError with the place of the mistake.
 */
export function compileAccessor(source: string): Accessor {
  const path = source.startsWith("$") ? parsePath(source) : [source];
  if (path[0] === "") throw new SyntaxError(`cannot read field name "${source}": it is empty`);
  return path.length === 1 ? topLevel(source, path[0] as string) : nested(source, path);
}

/**
 * Compiles the name of a field where Fluent Bit takes names as they are: only a bracket makes it an
 * accessor, so that `$oid` stays the field `$oid`.
 */
export function compileFieldName(source: string): Accessor {
  if (/^\$[^[]+\[/.test(source)) return compileAccessor(source);
  if (source === "") throw new SyntaxError("cannot read field name: it is empty");
  return topLevel(source, source);
}

function parsePath(source: string): (string | number)[] {
  const bracket = source.indexOf("[");
  const path: (string | number)[] = [source.slice(1, bracket === -1 ? undefined : bracket)];
  let at = bracket === -1 ? source.length : bracket;
  // A quote inside a quoted name is written twice.
  const step = /\[(?:'((?:[^']|'')*)'|"((?:[^"]|"")*)"|(\d{1,9}))\]/y;
  while (at < source.length) {
    step.lastIndex = at;
    const found = step.exec(source);
    if (found === null) {
      throw new SyntaxError(
        `cannot read accessor ${source}: expected ['name'] or [number] at character ${at + 1}`,
      );
    }
    const [, single, double, index] = found;
    path.push(
      single?.replaceAll("''", "'") ?? double?.replaceAll('""', '"') ?? Number(index),
    );
    at = step.lastIndex;
  }
  return path;
}

function topLevel(source: string, key: string): Accessor {
  // Only names that every object inherits need the slower question whether the record has its own.
  const get = key in Object.prototype
    ? (fields: Fields) => Object.hasOwn(fields, key) ? fields[key] : undefined
    : (fields: Fields) => fields[key];
  return {
    source,
    path: [key],
    get,
    exact: get,
    set(fields, value) {
      setOwn(fields, key, value);
      return true;
    },
    delete: (fields) => Object.hasOwn(fields, key) && delete fields[key],
  };
}

function nested(source: string, path: readonly (string | number)[]): Accessor {
  const root = topLevel(source, path[0] as string);
  const last = path.length - 1;
  const exact = (fields: Fields): Value | undefined => {
    let value: Value | undefined = root.get(fields);
    for (let i = 1; i <= last; i++) value = child(value, path[i]!);
    return value;
  };
  return {
    source,
    path,
    exact,
    get(fields) {
      const first = root.get(fields);
      return first === undefined || isContainer(first) ? exact(fields) : first;
    },
    set(fields, value) {
      const parent = reach(fields, path);
      return parent !== undefined && setChild(parent, path[last]!, value);
    },
    delete(fields) {
      let parent: Value | undefined = fields;
      for (let i = 0; i < last; i++) parent = child(parent, path[i]!);
      return deleteChild(parent, path[last]!);
    },
  };
}

/** The container of the path's last step; maps on the way there are made when nothing is in their place. */
function reach(fields: Fields, path: readonly (string | number)[]): Fields | Value[] | undefined {
  let parent: Fields | Value[] = fields;
  for (let i = 0; i < path.length - 1; i++) {
    let next = child(parent, path[i]!);
    if (next === undefined) {
      if (typeof path[i + 1] === "number") return undefined;
      next = {};
      if (!setChild(parent, path[i]!, next)) return undefined;
    }
    if (!isContainer(next)) return undefined;
    parent = next;
  }
  return parent;
}

function isContainer(value: Value | undefined): value is Fields | Value[] {
  return typeof value === "object" && value !== null && !(value instanceof Uint8Array);
}

function child(parent: Value | undefined, step: string | number): Value | undefined {
  if (!isContainer(parent)) return undefined;
  if (Array.isArray(parent)) return typeof step === "number" ? parent[step] : undefined;
  return typeof step === "string" && Object.hasOwn(parent, step) ? parent[step] : undefined;
}

function setChild(parent: Fields | Value[], step: string | number, value: Value): boolean {
  if (Array.isArray(parent)) {
    if (typeof step !== "number" || step >= parent.length) return false;
    parent[step] = value;
    return true;
  }
  if (typeof step !== "string") return false;
  setOwn(parent, step, value);
  return true;
}

function deleteChild(parent: Value | undefined, step: string | number): boolean {
  if (child(parent, step) === undefined) return false;
  if (Array.isArray(parent)) parent.splice(step as number, 1);
  else delete (parent as Fields)[step as string];
  return true;
}

/** An assignment to `__proto__` would change what the object inherits instead of making a field. */
function setOwn(fields: Fields, key: string, value: Value): void {
  if (key !== "__proto__") fields[key] = value;
  else {
    Object.defineProperty(fields, key, {
      value,
      enumerable: true,
      configurable: true,
      writable: true,
    });
  }
}
