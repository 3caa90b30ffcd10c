import { multilineParserSchema } from "./multiline-schema.ts";
import { parserSchema } from "./parser-schema.ts";

/** The options of `parsers` and `multiline_parsers` entries, for checking, reference and JSON Schema. */
export const PARSER_SCHEMAS = { parser: parserSchema, multiline: multilineParserSchema };
