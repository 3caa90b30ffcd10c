import {
  type Accessor,
  type Body,
  cloneValue,
  compileFieldName,
  compilePattern,
  setField,
} from "logcollector/plugin";

/** Changes a body, in place or by making a new one. */
export type Operation = (body: Body) => Body;

/** A field that is replaced moves to the end, as a new one would be there. */
export function set(name: string, value: string): Operation {
  const field = compileFieldName(name);
  return (body) => {
    field.delete(body);
    field.set(body, value);
    return body;
  };
}

export function add(name: string, value: string): Operation {
  const field = compileFieldName(name);
  return (body) => {
    if (field.exact(body) === undefined) field.set(body, value);
    return body;
  };
}

export function remove(name: string): Operation {
  const field = compileFieldName(name);
  return (body) => {
    field.delete(body);
    return body;
  };
}

/** Despite its name in the configuration, the wildcard is a prefix: an asterisk in it is an asterisk. */
export function removeWildcard(prefix: string): Operation {
  return removeKeys((key) => key.startsWith(prefix));
}

export function removeRegex(regex: string): Operation {
  const pattern = compilePattern(regex);
  return removeKeys((key) => pattern.test(key));
}

function removeKeys(unwanted: (key: string) => boolean): Operation {
  return (body) => {
    for (const key in body) if (unwanted(key)) delete body[key];
    return body;
  };
}

export function moveToStart(prefix: string): Operation {
  return (body) => partition(body, (key) => key.startsWith(prefix));
}

export function moveToEnd(prefix: string): Operation {
  return (body) => partition(body, (key) => !key.startsWith(prefix));
}

function partition(body: Body, goesFirst: (key: string) => boolean): Body {
  const result: Body = {};
  for (const key in body) if (goesFirst(key)) setField(result, key, body[key]!);
  for (const key in body) if (!goesFirst(key)) setField(result, key, body[key]!);
  return result;
}

interface Transfer {
  /** Replaces a target that exists, instead of doing nothing. */
  readonly hard: boolean;
  /** The source stays. */
  readonly copy: boolean;
}

export const rename = transfer({ hard: false, copy: false });
export const hardRename = transfer({ hard: true, copy: false });
export const copy = transfer({ hard: false, copy: true });
export const hardCopy = transfer({ hard: true, copy: true });

function transfer(how: Transfer): (from: string, to: string) => Operation {
  return (from, to) => {
    const source = compileFieldName(from);
    const target = compileFieldName(to);
    return source.path.length === 1 && target.path.length === 1
      ? transferInPlace(source, target, how)
      : transferNested(source, target, how);
  };
}

/** The target takes the source's place among the fields, or the one right after it. */
function transferInPlace(source: Accessor, target: Accessor, { hard, copy }: Transfer): Operation {
  const [from] = source.path as [string];
  const [to] = target.path as [string];
  return (body) => {
    if (!Object.hasOwn(body, from)) return body;
    if (!hard && Object.hasOwn(body, to)) return body;
    const result: Body = {};
    for (const key in body) {
      const value = body[key]!;
      // A field that is hard-renamed to its own name vanishes, as in Fluent Bit.
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

function transferNested(source: Accessor, target: Accessor, { hard, copy }: Transfer): Operation {
  return (body) => {
    const value = source.exact(body);
    if (value === undefined) return body;
    if (!hard && target.exact(body) !== undefined) return body;
    if (copy) target.set(body, cloneValue(value));
    else {
      source.delete(body);
      // Something that is no map is in the way of the target: the value goes back.
      if (!target.set(body, value)) source.set(body, value);
    }
    return body;
  };
}
