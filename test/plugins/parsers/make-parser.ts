import type { Body, Parser, ParserDefinition } from "logcollector/plugin";
import { testContext } from "../../support/context.ts";

/** What the definition's parser makes of a line, with options as a configuration gives them. */
export function parseWith(
  definition: ParserDefinition,
  options: Record<string, unknown>,
  line: string,
): Body | null {
  const parser: Parser = definition.create(definition.config.parse(options), testContext());
  return parser.parse(line);
}
