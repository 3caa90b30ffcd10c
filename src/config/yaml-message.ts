import type { YAMLError } from "yaml";

/** Nearly always a `*` that was meant as text. */
export const NO_ANCHOR =
  "an unquoted * is an alias in YAML, and no anchor has its name: put the value in quotes, as in match: '*'";

export const UNCLOSED_QUOTE = "not valid YAML: the quote is not closed";
const UNCLOSED_BRACKET = "a bracket is not closed, or what it holds is not indented";
const SECOND_KEY =
  "a second key where a value was expected: wrong indentation, or a value with a colon that needs quotes";

// One code of the library may stand for several mistakes; its fixed words tell them apart.
const BY_WORDS: readonly (readonly [RegExp, string])[] = [
  [/nested mappings|block sequence/i, SECOND_KEY],
  [/without - /i, 'wrong indentation, or an entry of a list without "- "'],
  [/flow (sequence|map|collection)|expected .* to end with/i, UNCLOSED_BRACKET],
  [/implicit map key/i, "a name without a value: is a colon missing, or is the indentation wrong?"],
  [/same column/i, "wrong indentation: entries of one map or list must begin in the same column"],
];

const BY_CODE: Readonly<Record<string, string>> = {
  TAB_AS_INDENT: "a tab cannot indent YAML: use spaces",
  BAD_INDENT: "wrong indentation",
  MISSING_CHAR: "a character is missing: a quote, bracket or colon",
  BAD_ALIAS: NO_ANCHOR,
  MULTILINE_IMPLICIT_KEY: "a key must be on one line: is a colon or a quote missing?",
  BLOCK_AS_IMPLICIT_KEY: SECOND_KEY,
  BLOCK_IN_FLOW: "a block cannot stand inside brackets",
  BAD_DQ_ESCAPE: "wrong escape in double quotes: use single quotes for a regex",
  BAD_SCALAR_START: "a value cannot start with this character: put it in quotes",
  KEY_OVER_1024_CHARS: "a key is too long",
  UNEXPECTED_TOKEN: "unexpected text: wrong indentation, or a value that needs quotes",
};

/** Says it in our words: the library's messages may quote the file, and with it a password. */
export function yamlMessage({ code, message }: YAMLError): string {
  const found = BY_WORDS.find(([words]) => words.test(message))?.[1];
  const text = found ?? BY_CODE[code] ?? code.toLowerCase().replaceAll("_", " ");
  return `not valid YAML: ${text}`;
}
