import {
  type Body,
  defineParser,
  field,
  type Parser,
  setField,
  unescapeUtf8,
} from "logcollector/plugin";
import * as z from "zod";

const QUOTE = 0x22;
const EQUALS = 0x3d;
const BACKSLASH = 0x5c;
const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;

export default defineParser({
  name: "logfmt",
  summary: 'Reads `key=value key="some text" flag` pairs.',
  config: z.object({
    logfmt_no_bare_keys: field.bool().default(false).describe(
      "Refuse lines that hold a key without `=`",
    ),
    types: field.text().optional().describe(
      "Types of fields, separated by spaces: `status:integer time:float`; also hex, bool and string",
    ),
  }),
  create({ logfmt_no_bare_keys: noBareKeys, types }): Parser {
    // With types, Fluent Bit leaves escapes in values as they are, and a bare key has an empty value.
    const typed = types !== undefined && types.trim() !== "";
    return { parse: (line) => parseLine(line, noBareKeys, typed) };
  },
});

function parseLine(line: string, noBareKeys: boolean, typed: boolean): Body | null {
  const body: Body = {};
  let found = false;
  let at = 0;
  while (at < line.length) {
    while (at < line.length && !isWordCode(line.charCodeAt(at))) at++;
    if (at === line.length) break;
    const keyStart = at;
    at = endOfWord(line, at);
    const key = line.slice(keyStart, at);
    if (line.charCodeAt(at) !== EQUALS) {
      if (noBareKeys) return null;
      setField(body, key, typed ? "" : true);
    } else if (line.charCodeAt(at + 1) === QUOTE) {
      const start = at + 2;
      at = closingQuote(line, start);
      const text = line.slice(start, at);
      setField(body, key, typed ? text : unescapeUtf8(text));
      at++;
    } else {
      const start = at + 1;
      at = endOfWord(line, start);
      setField(body, key, at > start || typed ? line.slice(start, at) : true);
    }
    found = true;
    const next = line.charCodeAt(at);
    if (next === NEWLINE || next === CARRIAGE_RETURN) break;
  }
  return found ? body : null;
}

function isWordCode(code: number): boolean {
  return code > 0x20 && code !== QUOTE && code !== EQUALS;
}

function endOfWord(line: string, at: number): number {
  while (at < line.length && isWordCode(line.charCodeAt(at))) at++;
  return at;
}

/** The place of the quote that ends the text, or the end of the line. */
function closingQuote(line: string, at: number): number {
  for (; at < line.length; at++) {
    const code = line.charCodeAt(at);
    if (code === QUOTE) return at;
    if (code === BACKSLASH) at++;
  }
  return line.length;
}
