import { accessSync, constants, statSync } from "node:fs";
import { hostname } from "node:os";
import { findPluginFiles } from "../../config/load-config.ts";
import { formatProblem } from "../../config/problem.ts";
import { PARSER_SCHEMAS } from "../../loader/parser-schemas.ts";
import { builtins } from "../../loader/registry.ts";
import { type LoadedPlugin, loadUserPlugins, withUserPlugins } from "../../loader/user-plugins.ts";
import { type CommandIo, EXIT } from "../command-io.ts";
import { plugins as listAll } from "../plugins.ts";

/** `logcollector plugin list`: all plugins that a configuration may name, and where its own come from. */
export async function listPlugins(
  configPath: string | undefined,
  io: CommandIo,
): Promise<number> {
  const own: LoadedPlugin[] = [];
  const problems: string[] = [];
  if (configPath !== undefined) {
    const problem = unreadable(configPath);
    if (problem !== undefined) {
      io.stderr(`logcollector: cannot read ${configPath}: ${problem}\n`);
      return EXIT.usage;
    }
    const request = { path: configPath, env: process.env, hostname: hostname() };
    const found = findPluginFiles(request);
    problems.push(...found.problems.map(formatProblem));
    for (const file of found.files) {
      try {
        own.push(...await loadUserPlugins(file));
      } catch (error) {
        problems.push(formatProblem({ ...file.at, message: (error as Error).message }));
      }
    }
  }
  const registry = withUserPlugins(builtins, own);
  const status = listAll(undefined, io, { registry, parserSchemas: PARSER_SCHEMAS });
  if (own.length > 0) {
    const lines = own.map(({ path, definition: { kind, name } }) =>
      `  ${kind} ${name}  ${path}${
        builtins.names(kind).includes(name.toLowerCase()) ? "  (in place of the builtin)" : ""
      }\n`
    );
    io.stdout(`\nLoaded for ${configPath}\n${lines.join("")}`);
  }
  for (const problem of problems) io.stderr(`${problem}\n`);
  return problems.length === 0 ? status : EXIT.usage;
}

/** Why a file cannot be read, if it cannot: what is wrong inside it is no matter here. */
function unreadable(path: string): string | undefined {
  try {
    accessSync(path, constants.R_OK);
    return statSync(path).isDirectory() ? "it is a folder" : undefined;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return code === "ENOENT" ? "it does not exist" : message;
  }
}
