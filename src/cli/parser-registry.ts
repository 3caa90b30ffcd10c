import type { MultilineOptions } from "../loader/multiline-schema.ts";
import { ParserRegistry } from "../loader/parser-registry.ts";
import type { ParserOptions } from "../loader/parser-schema.ts";
import type { Logger } from "../sdk/context.ts";
import type { LoadedRun } from "./load-run.ts";

/** The parsers of a configuration, with the shipped ones. */
export function parserRegistry(
  { config, formats }: Pick<LoadedRun, "config" | "formats">,
  log: Logger,
): ParserRegistry {
  return new ParserRegistry({
    parsers: config.parsers.map((section) => section.options as ParserOptions),
    formatOptions: new Map(config.parsers.map(({ name, formatOptions }) => [name, formatOptions])),
    multilineParsers: config.multilineParsers.map((section) => section.options as MultilineOptions),
    formats,
    log,
    multilineBufferLimit: config.service.multiline_buffer_limit,
  });
}
