/**
 * The options of `parsers` and `multiline_parsers` entries, for checking, reference and JSON Schema. They are loaded when
 * they are asked for: with them come all formats.
 */
export const PARSER_SCHEMAS = {
  get parser() {
    return (require("./parser-schema.ts") as typeof import("./parser-schema.ts")).parserSchema;
  },
  get multiline() {
    return (require("./multiline-schema.ts") as typeof import("./multiline-schema.ts"))
      .multilineParserSchema;
  },
};
