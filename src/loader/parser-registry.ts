import { suggestion } from "../lib/closest.ts";
import type { LineJoinerFactory, LineParser, Logger } from "../sdk/context.ts";
import type { Parser, ParserContext, ParserDefinition } from "../sdk/define.ts";
import { ConfigError } from "../sdk/errors.ts";
import { createLineParser } from "./line-parser.ts";
import type { MultilineDefinition } from "./multiline/definition.ts";
import type { MultilineOptions } from "./multiline-schema.ts";
import type { ParserOptions } from "./parser-schema.ts";
import { PARSER_SCHEMAS } from "./parser-schemas.ts";
import { builtins } from "./registry.ts";
import { SHIPPED_PARSERS } from "./shipped-parsers.ts";

// These are loaded when a configuration names one: with them come the expressions of all languages.
const multilines = () =>
  require("./multiline/definition.ts") as typeof import("./multiline/definition.ts");
const joiners = () =>
  require("./multiline/stream-joiner.ts") as typeof import("./multiline/stream-joiner.ts");

const DEFAULT_MULTILINE_LIMIT = 2 * 1024 * 1024;

export interface ParserRegistryOptions {
  /** The entries of `parsers`, checked with `PARSER_SCHEMAS.parser`. Names are unique: the configuration keeps the first of a name. */
  readonly parsers?: readonly ParserOptions[] | undefined;
  /** What the formats of plugins get as their options, by the parser's name. */
  readonly formatOptions?:
    | ReadonlyMap<string, Readonly<Record<string, unknown>> | undefined>
    | undefined;
  /** The entries of `multiline_parsers`, checked with `multilineParserSchema`. */
  readonly multilineParsers?: readonly MultilineOptions[] | undefined;
  readonly log: Logger;
  /** Formats that plugins of the user add. */
  readonly formats?: readonly ParserDefinition[] | undefined;
  /** Longest text of a joined record; what is beyond is cut off. 0 for no limit. */
  readonly multilineBufferLimit?: number | undefined;
  /** The present, in seconds. */
  readonly nowSec?: (() => number) | undefined;
}

/** All parsers by name: the configured ones, and under them the shipped ones. Each is made at its first use. */
export class ParserRegistry {
  private readonly log: Logger;
  private readonly nowSec: () => number;
  private readonly multilineLimit: number;
  private readonly formats = new Map<string, ParserDefinition>();
  private readonly options = new Map<string, () => ParserOptions>();
  private readonly formatOptions: ReadonlyMap<
    string,
    Readonly<Record<string, unknown>> | undefined
  >;
  private readonly parsers = new Map<string, LineParser>();
  private readonly ofUser: (Parser & { close?(): void })[] = [];
  private readonly multilineOptions = new Map<string, MultilineOptions>();
  private readonly multilines = new Map<string, MultilineDefinition>();

  constructor(options: ParserRegistryOptions) {
    this.log = options.log;
    this.nowSec = options.nowSec ?? (() => Math.floor(Date.now() / 1000));
    this.formatOptions = options.formatOptions ?? new Map();
    this.multilineLimit = (options.multilineBufferLimit ?? DEFAULT_MULTILINE_LIMIT) || Infinity;
    for (const format of options.formats ?? []) {
      this.formats.set(format.name, format);
    }
    for (const shipped of SHIPPED_PARSERS) {
      this.options.set(shipped.name, () => PARSER_SCHEMAS.parser.parse(shipped));
    }
    for (const parser of options.parsers ?? []) this.options.set(parser.name, () => parser);
    for (const multiline of options.multilineParsers ?? []) {
      this.multilineOptions.set(multiline.name.toLowerCase(), multiline);
    }
  }

  /** The parser of that name. Throws {@link ConfigError} when there is none. */
  parser(name: string): LineParser {
    const known = this.parsers.get(name);
    if (known !== undefined) return known;
    const options = this.options.get(name)?.();
    if (options === undefined) {
      throw new ConfigError(
        `unknown parser "${name}"${suggestion(name, this.options.keys())}`,
        "parser",
      );
    }
    const parser = createLineParser(
      this.createFormat(options),
      options,
      {
        log: this.log,
        nowSec: this.nowSec,
      },
    );
    this.parsers.set(name, parser);
    return parser;
  }

  /** Nobody asks for these parsers any more: their code need not be kept up to date. */
  close(): void {
    for (const parser of this.ofUser) parser.close?.();
  }

  private createFormat(options: ParserOptions): Parser {
    const name = options.format.toLowerCase();
    const context = { id: options.name, log: this.log };
    const own = this.formats.get(name);
    if (own !== undefined) {
      const config = this.formatOptions.get(options.name) ?? options;
      const parser = own.create(config, context);
      this.ofUser.push(parser);
      return guarded(parser, context);
    }
    const found = builtins.find("parser", name);
    if (found !== undefined) return found.create(options, context);
    throw new ConfigError(
      `unknown format "${options.format}" of parser "${options.name}"${
        suggestion(options.format, [...this.formats.keys(), ...builtins.names("parser")])
      }`,
      "format",
    );
  }

  /** A maker of joiners that try the multiline parsers of these names. Throws {@link ConfigError} for an unknown one. */
  multiline(names: readonly string[]): LineJoinerFactory {
    if (names.length === 0) {
      throw new ConfigError("no multiline parser is named", "multiline.parser");
    }
    return joiners().joinerFactory(
      names.map((name) => this.multilineDefinition(name)),
      this.multilineLimit,
    );
  }

  private multilineDefinition(name: string): MultilineDefinition {
    const key = name.toLowerCase();
    let definition = this.multilines.get(key);
    if (definition === undefined) {
      definition = this.makeMultiline(key);
      if (definition === undefined) {
        const known = [...this.multilineOptions.keys(), "docker", "cri", ...multilines().LANGUAGES];
        throw new ConfigError(
          `unknown multiline parser "${name}"${suggestion(name, known)}`,
          "multiline.parser",
        );
      }
      this.multilines.set(key, definition);
    }
    return definition;
  }

  private makeMultiline(key: string): MultilineDefinition | undefined {
    const { criMultiline, defineMultiline, dockerMultiline, languageMultiline } = multilines();
    const options = this.multilineOptions.get(key);
    if (options !== undefined) {
      return defineMultiline(options, options.parser ? this.parser(options.parser) : undefined);
    }
    if (key === "cri") return criMultiline(this.nowSec);
    if (key === "docker") return dockerMultiline(this.dockerParser());
    return languageMultiline(key);
  }

  /** The parser inside multiline's `docker`: the shipped one, but lenient about the time. */
  private dockerParser(): LineParser {
    const options = PARSER_SCHEMAS.parser.parse({
      name: "docker",
      format: "json",
      time_format: "%Y-%m-%dT%H:%M:%S.%L",
      time_keep: true,
      time_strict: false,
    });
    const json = builtins.find("parser", "json")!.create({}, { id: "docker", log: this.log });
    return createLineParser(json, options, {
      log: this.log,
      nowSec: this.nowSec,
    });
  }
}

/** A line that a parser of the user's throws at is not parsed, and costs nothing else: it is one of a whole block. */
function guarded(parser: Parser, { id, log }: ParserContext): Parser {
  return {
    parse(line) {
      try {
        return parser.parse(line);
      } catch (error) {
        log.error(`Parser ${id} failed at a line: ${(error as Error)?.message ?? error}`);
        return null;
      }
    },
  };
}
