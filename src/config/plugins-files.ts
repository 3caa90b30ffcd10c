import { besideFile, type ConfigFiles } from "./files.ts";
import type { ConfigNode, MapNode, ScalarNode } from "./node.ts";
import type { Problems } from "./problem.ts";
import { FileReader } from "./read-files.ts";
import { emptySections } from "./sections.ts";
import type { Variables } from "./variables.ts";

/** The entries of the files that `plugins_file` names in any of these service sections. */
export function readPluginsFiles(
  services: readonly MapNode[],
  variables: Variables,
  files: ConfigFiles,
  problems: Problems,
): readonly ConfigNode[] {
  const found = emptySections();
  const reader = new FileReader(files, found, problems, (node) => node);
  for (const node of services.flatMap(pathNodes)) {
    const { text, at } = variables.expandNode(node, problems);
    if (text === "") continue;
    // Beside the configuration file, else, as in Fluent Bit, in the working directory.
    const beside = at.line === 0 ? text : besideFile(at.file, text);
    reader.read(!files.exists(beside) && files.exists(text) ? text : beside, at);
  }
  const { input, filter, output } = found.plugins;
  const others = [found.service, found.parsers, found.multilineParsers, input, filter, output];
  for (const map of others.flat()) {
    problems.add(map.at, `a plugins file may hold only plugins: use "includes" for anything else`);
  }
  return found.pluginEntries;
}

function pathNodes({ entries }: MapNode): ScalarNode[] {
  const values = entries.flatMap(({ key, value }) =>
    key.toLowerCase() === "plugins_file" ? [value] : []
  );
  return values.flatMap((value) => value.kind === "list" ? value.items : [value])
    .filter((node): node is ScalarNode => node.kind === "scalar");
}
