import { pluginEntries } from "../../config/catalog.ts";
import { countOf } from "../../lib/count-of.ts";
import { PARSER_SCHEMAS } from "../../loader/parser-schemas.ts";
import { builtins, registryOf } from "../../loader/registry.ts";
import { loadDefinitions } from "../../loader/user-plugins.ts";
import type { PluginDefinition } from "../../sdk/define.ts";
import { type CommandIo, EXIT } from "../command-io.ts";
import { describeEntry } from "../plugins.ts";
import { pluginFilesAt } from "./plugin-files.ts";

/** `logcollector plugin check PATH`: loads plugins as a run would, and shows what they are and what is wrong. */
export async function checkPlugins(paths: readonly string[], io: CommandIo): Promise<number> {
  const checked: Checked[] = [];
  for (const path of paths) {
    let files: string[];
    try {
      files = pluginFilesAt(path);
    } catch (error) {
      io.stderr(`logcollector: cannot check ${path}: ${reasonOf(error)}\n`);
      return EXIT.usage;
    }
    // In a folder, files that plugins import are no plugins themselves.
    const inFolder = files.length !== 1 || files[0] !== path;
    for (const file of files) checked.push(await check(file, inFolder));
  }
  const problems = [...checked.flatMap((each) => each.problems), ...twins(checked)];
  const plugins = checked.flatMap(({ definitions }) => definitions);
  for (const { file, definitions } of checked) {
    for (const definition of definitions) io.stdout(describe(file, definition));
  }
  if (plugins.length === 0 && problems.length === 0) {
    problems.push(`${paths.join(", ")}: there is no plugin`);
  }
  for (const problem of problems) io.stderr(`${problem}\n`);
  const summary = `${countOf(plugins.length, "plugin")}, ${countOf(problems.length, "problem")}\n`;
  io.stdout(summary);
  return problems.length === 0 ? EXIT.ok : EXIT.failed;
}

interface Checked {
  readonly file: string;
  readonly definitions: readonly PluginDefinition[];
  readonly problems: readonly string[];
}

async function check(file: string, mayBeEmpty: boolean): Promise<Checked> {
  try {
    const definitions = await loadDefinitions({ path: file, mayBeEmpty });
    const problems = definitions.flatMap((each) =>
      problemsOf(each).map((problem) => `${file}: ${each.kind} "${each.name}": ${problem}`)
    );
    return { file, definitions, problems };
  } catch (error) {
    return { file, definitions: [], problems: [(error as Error).message] };
  }
}

/** What loads and yet would trouble those who use it. */
function problemsOf(definition: PluginDefinition): string[] {
  const [entry] = pluginEntries(definition.kind, catalogOf(definition));
  const problems: string[] = [];
  if (!entry!.summary) problems.push(`it has no summary: say in one sentence what it does`);
  for (const { name, description } of entry!.options) {
    if (name !== name.toLowerCase()) {
      problems.push(`option "${name}" is never found: write it in lower case`);
    }
    if (description === "") {
      problems.push(`option "${name}" has no description: add .describe("…")`);
    }
  }
  return problems;
}

function twins(checked: readonly Checked[]): string[] {
  const seen = new Map<string, string>();
  return checked.flatMap(({ file, definitions }) =>
    definitions.flatMap(({ kind, name }) => {
      const subject = `${kind} "${name}"`;
      const first = seen.get(subject);
      seen.set(subject, first ?? file);
      return first === undefined ? [] : [`${file}: ${subject} is already defined in ${first}`];
    })
  );
}

function describe(file: string, definition: PluginDefinition): string {
  const { kind, name } = definition;
  const instead = builtins.names(kind).includes(name.toLowerCase())
    ? `, in place of the builtin ${kind}`
    : "";
  const [entry] = pluginEntries(kind, catalogOf(definition));
  return `${file}${instead}\n${describeEntry(entry!)}\n`;
}

function catalogOf(definition: PluginDefinition) {
  return { registry: registryOf([definition]), parserSchemas: PARSER_SCHEMAS };
}

function reasonOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return code === "ENOENT" ? "it does not exist" : message;
}
