/**
 * A compiled Onigmo (Ruby) regular expression, the dialect of Fluent Bit's configurations.
 *
 * Group names are taken out of the JavaScript expression: making the `groups` object costs more than the
 * match itself. As in Onigmo, plain groups capture only where no group has a name.
 */
export interface Pattern {
  readonly source: string;
  /** The names of the captures, in order; "" for one without a name. */
  readonly names: readonly string[];
  test(text: string): boolean;
  /** The whole match and then one entry per name, or `null`. */
  exec(text: string): RegExpExecArray | null;
}

/** Compiles an Onigmo expression. `/…/i` style delimiters are understood. Throws SyntaxError with the reason. */
export function compilePattern(source: string): Pattern {
  const { body, flags } = stripDelimiters(source);
  // Without a newline in the subject, Ruby's ^ and $ mean what JavaScript's do, which is several times faster.
  const oneLine = translate(source, body, flags, true);
  let manyLines: RegExp | undefined;
  const names = captureNames(oneLine, body);
  const fast = withoutNames(oneLine);
  const pick = (text: string): RegExp => {
    if (!text.includes("\n")) return fast;
    return manyLines ??= withoutNames(translate(source, body, flags, false));
  };
  return {
    source,
    names,
    test: (text) => pick(text).test(text),
    exec: (text) => pick(text).exec(text),
  };
}

/** The library, which is loaded now if it is not yet. */
export function onigmo(): typeof import("./onigmo.ts") {
  return require("./onigmo.ts");
}

function translate(source: string, body: string, flags: string, singleline: boolean): RegExp {
  try {
    return onigmo().toRegExp(body, {
      flags,
      global: false,
      rules: { singleline, captureGroup: false },
    });
  } catch (cause) {
    throw new SyntaxError(`${describe(source, body, cause)}`, { cause });
  }
}

/** Adds the place to the translator's message where one can be found. */
function describe(source: string, body: string, cause: unknown): string {
  const reason = cause instanceof Error ? cause.message : String(cause);
  const place = firstBadPlace(body);
  const shift = source === body ? 0 : source.indexOf(body);
  return place === -1
    ? `cannot compile regex ${source}: ${reason}`
    : `cannot compile regex ${source}: ${reason} at character ${place + shift + 1}`;
}

/** The shortest prefix that cannot become valid by going on: found only for brackets, the usual mistake. */
function firstBadPlace(body: string): number {
  const open: number[] = [];
  let inClass = -1;
  for (let i = 0; i < body.length; i++) {
    const c = body[i];
    if (c === "\\") i++;
    else if (inClass >= 0) {
      if (c === "]" && i > inClass + 1) inClass = -1;
    } else if (c === "[") inClass = i;
    else if (c === "(") open.push(i);
    else if (c === ")") {
      if (open.pop() === undefined) return i;
    } else if ((c === "*" || c === "+" || c === "?") && i === 0) return i;
  }
  if (inClass >= 0) return inClass;
  return open.pop() ?? -1;
}

function stripDelimiters(source: string): { body: string; flags: string } {
  const match = /^\/(.*)\/([imxo]*)$/s.exec(source);
  if (!match) return { body: source, flags: "" };
  return { body: match[1]!, flags: [...match[2]!].filter((flag) => flag !== "o").join("") };
}

function captureNames(regex: RegExp, body: string): string[] {
  const names: string[] = [];
  forEachGroup(regex.source, (_, name) => names.push(name ?? ""));
  if (!names.includes("") || names.every((name) => name === "")) return names;
  // The translator leaves the second group of a name without it. Then the names are those of the original,
  // where plain groups do not capture.
  const written: string[] = [];
  forEachGroup(body, (_, name) => {
    if (name !== undefined) written.push(name);
  });
  return written.length === names.length ? written : names;
}

function withoutNames(regex: RegExp): RegExp {
  if (/\\k</.test(regex.source)) return regex;
  let text = "";
  let from = 0;
  forEachGroup(regex.source, (at, name) => {
    if (name === undefined) return;
    text += regex.source.slice(from, at + 1);
    from = at + `(?<${name}>`.length;
  });
  return new RegExp(text + regex.source.slice(from), regex.flags);
}

/** Calls back for every capturing group of a JavaScript expression, with its place and name. */
function forEachGroup(source: string, call: (at: number, name: string | undefined) => void): void {
  let depthOfClass = 0;
  for (let i = 0; i < source.length; i++) {
    const c = source[i];
    if (c === "\\") i++;
    else if (c === "[") depthOfClass++;
    else if (c === "]") depthOfClass--;
    else if (c === "(" && depthOfClass === 0) {
      if (source[i + 1] !== "?") call(i, undefined);
      else {
        const name = /^\(\?<([^=!][^>]*)>/.exec(source.slice(i, i + 200));
        if (name) call(i, name[1]);
      }
    }
  }
}
