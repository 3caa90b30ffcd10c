import binaryen from "binaryen";

/** An S-expression of WebAssembly's text: a word, or a list. */
type Form = string | Form[];

/** Of a list, what begins a part that is run as a whole, or not at all: but for what leaves it in the middle. */
const PARTS: ReadonlySet<string> = new Set(["func", "loop", "then", "else"]);
/** What stands before the instructions of such a part. */
const HEADS: ReadonlySet<string> = new Set(["type", "param", "result", "local", "export"]);

/** The name of the counter that a metered module exports. */
export const METER = "METER";

/**
 * A module in base64 that does what the given one does, and counts its instructions while it does: at the beginning of each
 * function, turn of a loop and branch those that it has. Where a part is left in the middle the rest counts too, so it is
 * no exact number, but always the same.
 */
export function metered(module: string): string {
  const source = binaryen.readBinary(Buffer.from(module, "base64"));
  source.setFeatures(binaryen.Features.All);
  const form = read(source.emitText());
  const [head, ...fields] = form as Form[];
  const counting = fields.map((field) =>
    isList(field, "func") ? withCount(field as Form[]) : field
  );
  const own = read(`(fields
    (global $meter (mut i64) (i64.const 0))
    (export "${METER}" (global $meter))
    (func $meter (param $0 i32)
      (global.set $meter (i64.add (global.get $meter) (i64.extend_i32_u (local.get $0))))))`);
  const [global, exported, count] = (own as Form[]).slice(1);
  const isAfter = counting.findIndex((field) => isList(field, "func"));
  counting.splice(isAfter, 0, global!, exported!, count!);
  const result = binaryen.parseText(write([head!, ...counting]));
  result.setFeatures(binaryen.Features.All);
  return Buffer.from(result.emitBinary()).toString("base64");
}

function isList(form: Form, word: string): boolean {
  return Array.isArray(form) && form[0] === word;
}

/** The same part with a call in front of its instructions that tells their number. */
function withCount(part: Form[]): Form[] {
  const start = part.findIndex((form, i) =>
    i > 0 && Array.isArray(form) && !HEADS.has(form[0] as string)
  );
  if (start === -1) return part;
  let count = 0;
  const visit = (form: Form): Form => {
    if (!Array.isArray(form)) return form;
    if (PARTS.has(form[0] as string)) return withCount(form);
    count++;
    return form.map(visit);
  };
  const body = part.slice(start).map(visit);
  return [...part.slice(0, start), ["call", "$meter", ["i32.const", String(count)]], ...body];
}

function read(text: string): Form {
  const tokens = text.matchAll(/;;.*|"(?:[^"\\]|\\.)*"|[()]|[^\s()";]+/g);
  const open: Form[][] = [[]];
  for (const [token] of tokens) {
    if (token.startsWith(";;")) continue;
    if (token === "(") open.push([]);
    else if (token === ")") {
      const list = open.pop()!;
      open.at(-1)!.push(list);
    } else open.at(-1)!.push(token);
  }
  return open[0]![0]!;
}

function write(form: Form): string {
  return Array.isArray(form) ? `(${form.map(write).join(" ")})` : form;
}
