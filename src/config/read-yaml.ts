import type { MapNode } from "./node.ts";
import type { Problems } from "./problem.ts";
import { readPlainYaml } from "./read-plain-yaml.ts";

/** Far more than any configuration needs; the reader stays below a second for whatever is inside. */
const MAX_FILE_BYTES = 1024 * 1024;

/** Reads YAML into a node, or reports why not and returns `undefined`. An empty file is an empty map. */
export function readYaml(text: string, file: string, problems: Problems): MapNode | undefined {
  const source = text.startsWith("\ufeff") ? text.slice(1) : text;
  if (source.length > MAX_FILE_BYTES) {
    const limit = `file is larger than ${MAX_FILE_BYTES / 1024} KiB`;
    problems.add({ file, line: 1, column: 1 }, limit);
    return undefined;
  }
  return readPlainYaml(source, file) ?? library().readAnyYaml(source, file, problems);
}

function library(): typeof import("./read-any-yaml.ts") {
  return require("./read-any-yaml.ts");
}
