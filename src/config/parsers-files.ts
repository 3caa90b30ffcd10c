import { besideFile, type ConfigFiles } from "./files.ts";
import { type MapNode, type ScalarNode } from "./node.ts";
import type { Problems } from "./problem.ts";
import { FileReader } from "./read-files.ts";
import { emptySections, type Sections } from "./sections.ts";

/** Reads the files that `parsers_file` names, and adds their parsers behind those of the configuration. */
export function readParsersFiles(
  service: MapNode,
  into: Sections,
  files: ConfigFiles,
  problems: Problems,
): void {
  const found = emptySections();
  const reader = new FileReader(files, found, problems, (node) => node);
  for (const node of parsersFileNodes(service)) {
    if (node.text !== "") reader.read(locate(node, files), node.at);
  }
  into.parsers.push(...found.parsers);
  into.multilineParsers.push(...found.multilineParsers);
  const { input, filter, output } = found.plugins;
  for (const map of [...found.service, ...input, ...filter, ...output]) {
    problems.add(map.at, 'a parsers file may hold only parsers: use "includes" for anything else');
  }
}

function* parsersFileNodes(service: MapNode): Generator<ScalarNode> {
  for (const { key, value } of service.entries) {
    if (key.toLowerCase() !== "parsers_file") continue;
    for (const node of value.kind === "list" ? value.items : [value]) {
      if (node.kind === "scalar" && !node.unset) yield node;
    }
  }
}

/** Beside the configuration file, else, as in Fluent Bit, in the working directory. */
function locate({ text, at }: ScalarNode, files: ConfigFiles): string {
  const beside = at.line === 0 ? text : besideFile(at.file, text);
  return !files.exists(beside) && files.exists(text) ? text : beside;
}
