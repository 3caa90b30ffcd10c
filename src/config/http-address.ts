import { type ConfigSource, mergedService, readMainFile, variablesOf } from "./config-source.ts";
import { systemFiles } from "./files.ts";
import { entryOf } from "./node.ts";
import { type ConfigProblem, Problems } from "./problem.ts";
import { emptySections } from "./sections.ts";

/** What the service section says about the HTTP server, as it is written; `undefined` where it says nothing. */
export interface HttpOptions {
  readonly server: string | undefined;
  readonly listen: string | undefined;
  readonly port: string | undefined;
}

/**
 * Reads these options alone, for a command that has no time for the others. Mistakes elsewhere are left to
 * {@link loadConfig}, those of the files as such are told.
 */
export function httpOptions(source: ConfigSource): HttpOptions | readonly ConfigProblem[] {
  const files = source.files ?? systemFiles;
  const sections = emptySections();
  const problems = new Problems();
  readMainFile(source, files, sections, problems);
  const variables = variablesOf(source, sections, files, new Problems());
  const service = mergedService(source, sections);
  const textOf = (option: string): string | undefined => {
    const value = entryOf(service, option)?.value;
    return value?.kind === "scalar" ? variables.expandNode(value, problems).text : undefined;
  };
  const options = {
    server: textOf("http_server"),
    listen: textOf("http_listen"),
    port: textOf("http_port"),
  };
  return problems.count > 0 ? problems.sorted() : options;
}
