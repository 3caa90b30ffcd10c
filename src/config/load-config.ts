import type * as z from "zod";
import type { PluginRegistry } from "../sdk/registry.ts";
import { describeOptionOf } from "./describe-schema.ts";
import { type ConfigSource, mergedService, readMainFile, variablesOf } from "./config-source.ts";
import { systemFiles } from "./files.ts";
import type { LoadedConfig, ParserSection } from "./loaded-config.ts";
import { entryOf, type MapNode } from "./node.ts";
import { checkOptions } from "./option-group.ts";
import { parserSections } from "./parser-sections.ts";
import { readParsersFiles } from "./parsers-files.ts";
import { type PluginFile, pluginFiles } from "./plugin-entries.ts";
import { pluginInstances } from "./plugin-instances.ts";
import { readPluginsFiles } from "./plugins-files.ts";
import { type ConfigProblem, Problems } from "./problem.ts";
import { emptySections, type Sections } from "./sections.ts";
import {
  hasNoEffect,
  REFUSED_SERVICE_OPTIONS,
  type ServiceOptions,
  serviceSchema,
} from "./service-options.ts";
import { deadLetterFolder, keepsDeadLetters, storageProblems } from "./storage.ts";

/** Where a configuration comes from, and what it may name. */
export interface ConfigRequest extends ConfigSource {
  readonly registry: PluginRegistry;
  readonly parserSchemas: { readonly parser: z.ZodObject; readonly multiline: z.ZodObject };
}

export type ConfigResult = { readonly config: LoadedConfig } | {
  readonly errors: readonly ConfigProblem[];
};

/** Reads and checks a whole configuration. Never throws for what the user wrote: all mistakes are reported at once. */
export function loadConfig(request: ConfigRequest): ConfigResult {
  const problems = new Problems();
  const files = request.files ?? systemFiles;
  const sections = emptySections();
  if (request.path !== undefined) readMainFile(request, files, sections, problems);
  const readWhole = problems.count === 0;
  addCommandLine(request, sections);

  const variables = variablesOf(request, sections, files, problems);
  const expand = (maps: MapNode[]): MapNode[] =>
    maps.map((map) => variables.expandNode(map, problems));
  const serviceMap = expand([mergedService(request, sections)])[0]!;
  readParsersFiles(serviceMap, sections, files, problems);
  const service = checkService(serviceMap, problems);
  const { input, filter, output } = sections.plugins;
  const plugins = { input: expand(input), filter: expand(filter), output: expand(output) };
  const instances = pluginInstances({ ...sections, plugins }, request.registry, problems);
  const { parserSchemas } = request;
  const formatSchema = (format: string): z.ZodObject | undefined => {
    const schema = request.registry.find("parser", format)?.config;
    // The options of the builtin formats are among those of every parser.
    const isKnown = schema === undefined ||
      Object.keys(schema.shape).every((option) => option in parserSchemas.parser.shape);
    return isKnown ? undefined : schema;
  };
  const parsers = parserSections(
    "parser",
    expand(sections.parsers),
    () => parserSchemas.parser,
    problems,
    formatSchema,
  );
  const multilineParsers = parserSections(
    "multiline parser",
    expand(sections.multilineParsers),
    () => parserSchemas.multiline,
    problems,
  );
  // A file that could not be read, or a misspelt section, would only look like a missing pipeline.
  if (readWhole) requirePipeline(request, sections, problems);
  if (service !== undefined) {
    const keeps = entryOf(serviceMap, "storage.keep.rejected");
    if (
      keeps !== undefined && keepsDeadLetters(service) && deadLetterFolder(service) === undefined
    ) {
      problems.add(keeps.at, `"${keeps.key}" needs a folder to keep them in: add storage.path`);
    }
    for (const problem of storageProblems({ service, ...instances })) {
      problems.add(problem, problem.message);
    }
  }
  if (problems.count > 0 || service === undefined) return { errors: problems.sorted() };
  return {
    config: {
      service,
      ...instances,
      parsers: firstOfEachName("parser", parsers, problems),
      multilineParsers: firstOfEachName("multiline parser", multilineParsers, problems),
      warnings: problems.warnings,
    },
  };
}

/**
 * The files under `plugins`, with folders and patterns resolved: they must be loaded before the rest of the
 * configuration can be checked. Mistakes of other sections are left to {@link loadConfig}.
 */
export function findPluginFiles(
  request: ConfigSource,
): { readonly files: readonly PluginFile[]; readonly problems: readonly ConfigProblem[] } {
  const files = request.files ?? systemFiles;
  const sections = emptySections();
  const others = new Problems();
  if (request.path !== undefined) readMainFile(request, files, sections, others);
  const variables = variablesOf(request, sections, files, others);
  const problems = new Problems();
  const entries = [
    ...sections.pluginEntries,
    ...readPluginsFiles([mergedService(request, sections)], variables, files, problems),
    ...request.commandLine?.pluginEntries ?? [],
  ];
  const found = pluginFiles(entries, variables, files, problems);
  return { files: found, problems: problems.sorted() };
}

function addCommandLine({ commandLine }: ConfigRequest, sections: Sections): void {
  if (commandLine === undefined) return;
  for (const kind of ["input", "filter", "output"] as const) {
    sections.plugins[kind].push(...commandLine.plugins[kind]);
  }
}

function checkService(map: MapNode, problems: Problems): ServiceOptions | undefined {
  const { outputs, given } = checkOptions(map, {
    owner: "service",
    schemas: [serviceSchema],
    refused: (option) => REFUSED_SERVICE_OPTIONS.has(option),
    advice: `"logcollector plugins service" lists its options`,
  }, problems);
  if (outputs === undefined) return undefined;
  const service = outputs[0] as ServiceOptions;
  for (const [name, option] of given) {
    const description = describeOptionOf(serviceSchema, name)?.description;
    if (description === undefined || !hasNoEffect(description)) continue;
    const usual: Record<string, unknown> = serviceSchema.parse({});
    if (usual[name] === (service as Record<string, unknown>)[name]) continue;
    problems.warn(option.at, `"${option.key}" has no effect in this version`);
  }
  return service;
}

function requirePipeline({ path }: ConfigRequest, sections: Sections, problems: Problems): void {
  const at = { file: path ?? "command line", line: 0, column: 0 };
  const { input, output } = sections.plugins;
  const missing = [
    ...(input.length === 0 ? ["inputs"] : []),
    ...(output.length === 0 ? ["outputs"] : []),
  ];
  if (missing.length === 0) return;
  problems.add(at, `the pipeline has no ${missing.join(" and no ")}: nothing would be collected`);
}

/** As in Fluent Bit, the first of two parsers with one name counts. */
function firstOfEachName(
  kind: string,
  parsers: readonly ParserSection[],
  problems: Problems,
): ParserSection[] {
  const first = new Map<string, ParserSection>();
  for (const parser of parsers) {
    const earlier = first.get(parser.name);
    if (earlier === undefined) first.set(parser.name, parser);
    else {
      problems.warnings.push(
        `${parser.position}: ${kind} "${parser.name}" is ignored: its name is taken at ${earlier.position}`,
      );
    }
  }
  return [...first.values()];
}
