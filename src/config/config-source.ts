import { type ConfigFiles, readFailure } from "./files.ts";
import type { MapEntry, MapNode } from "./node.ts";
import { Problems } from "./problem.ts";
import { FileReader } from "./read-files.ts";
import type { Sections } from "./sections.ts";
import { Variables } from "./variables.ts";

/** Where a configuration comes from. */
export interface ConfigSource {
  /** The main file, as the user named it. */
  readonly path?: string | undefined;
  /** What the command line adds: plugins behind the file's, service options instead of the file's. */
  readonly commandLine?: Pick<Sections, "plugins"> & Partial<Pick<Sections, "pluginEntries">> & {
    readonly service: readonly MapEntry[];
  };
  /** The system's environment. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly hostname: string;
  readonly files?: ConfigFiles;
}

/** Reads the main file, which must be given, and what it includes. */
export function readMainFile(
  request: ConfigSource,
  files: ConfigFiles,
  sections: Sections,
  problems: Problems,
): void {
  const quiet = new Problems();
  const reader = new FileReader(files, sections, problems, (node) => {
    // The variables of the sections read so far; a mistake in one of them is reported once, later.
    const variables = variablesOf(request, sections, files, quiet);
    return variables.expandNode(node, problems);
  });
  reader.read(request.path!);
}

/** The system's variables and the `env` section's, each of which may use those before it. */
export function variablesOf(
  { env, hostname }: Pick<ConfigSource, "env" | "hostname">,
  sections: Sections,
  files: ConfigFiles,
  problems: Problems,
): Variables {
  const variables = new Variables(env, hostname);
  for (const { name, value, isFile } of sections.env) {
    const { text } = variables.expandNode(value, problems);
    if (!isFile) {
      variables.set(name, text);
      continue;
    }
    const path = text.replace(/^file:\/\//, "");
    try {
      const content = files.read(path).replace(/\r?\n$/, "");
      if (content === "") problems.add(value.at, `variable "${name}" has an empty file: ${path}`);
      variables.set(name, content);
    } catch (error) {
      problems.add(
        value.at,
        `variable "${name}" cannot be read from ${path}: ${readFailure(error)}`,
      );
      variables.set(name, "");
    }
  }
  return variables;
}

/** One service section of all files; what the command line says stands instead of what a file says. */
export function mergedService(
  { path, commandLine }: Pick<ConfigSource, "path" | "commandLine">,
  sections: Sections,
): MapNode {
  const fromCommandLine = commandLine?.service ?? [];
  const replaced = new Set(fromCommandLine.map((entry) => entry.key));
  replaced.delete("parsers_file");
  const fromFiles = sections.service.flatMap((map) => map.entries)
    .filter((entry) => !replaced.has(entry.key.toLowerCase()));
  const at = sections.service[0]?.at ?? { file: path ?? "command line", line: 0, column: 0 };
  return { kind: "map", at, entries: [...fromFiles, ...fromCommandLine] };
}
