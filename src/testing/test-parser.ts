import type { Parser, ParserDefinition } from "../sdk/define.ts";
import type { Body } from "../sdk/record.ts";
import { CapturedLog } from "./captured-log.ts";
import { type Options, readOptions } from "./options.ts";

/** A parser under test. It can be given to an input or a filter under test as one of its `parsers`. */
export interface ParserTest extends Parser {
  /** The fields of the line, or `null` when it does not match. */
  parse(line: string): Body | null;
  /** What `create` returned. */
  readonly parser: Parser;
  /** What the parser said. */
  readonly log: CapturedLog;
}

/**
 * Makes a parser from options as a configuration gives them. Throws ConfigError for options that the collector
 * would refuse.
 *
 * ```ts
 * expect(testParser(pipes).parse("a|b")).toEqual({ first: "a", second: "b" });
 * ```
 */
export function testParser(definition: ParserDefinition, options: Options = {}): ParserTest {
  const log = new CapturedLog();
  const config = readOptions(definition, options);
  const parser = definition.create(config, { id: definition.name, log });
  return { parser, log, parse: (line) => parser.parse(line) };
}
