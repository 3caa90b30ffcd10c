import { type Dirent, readdirSync, statSync } from "node:fs";
import { join } from "node:path";

const TEST = /\.test\.(?:ts|js|mjs)$/;
const PLUGIN = /^[^._].*\.(?:ts|js|mjs|so)$/;
const NO_PLUGIN = /\.(?:test|spec|d)\.(?:ts|js|mjs)$/;

/** A search ends here, so that one in the wrong folder ends soon. */
const MAX_DEPTH = 8;
const MAX_ENTRIES = 100_000;

/** The files that are plugins by their names: the file itself, or those in the folder. Throws when it is not there. */
export function pluginFilesAt(path: string): string[] {
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path).sort()
    .filter((name) => PLUGIN.test(name) && !NO_PLUGIN.test(name))
    .map((name) => join(path, name));
}

/**
 * The tests of a file or of a folder and those in it, without node_modules and hidden folders. A plugin's tests
 * are in the file beside it. Throws when there is no such file or folder.
 */
export function testFilesAt(path: string): string[] {
  if (statSync(path).isDirectory()) return testsBelow(path);
  if (TEST.test(path)) return [path];
  const beside = path.replace(/\.(ts|js|mjs)$/, ".test.$1");
  return statSync(beside, { throwIfNoEntry: false })?.isFile() ? [beside] : [];
}

function testsBelow(root: string): string[] {
  const found: string[] = [];
  let entries = 0;
  const visit = (folder: string, depth: number) => {
    for (const entry of inOrder(folder)) {
      if (++entries > MAX_ENTRIES) {
        throw new Error(`there are more than ${MAX_ENTRIES} files: name a folder with fewer`);
      }
      const path = join(folder, entry.name);
      if (entry.isDirectory()) {
        const skipped = entry.name === "node_modules" || entry.name.startsWith(".");
        if (!skipped && depth < MAX_DEPTH) visit(path, depth + 1);
      } else if (TEST.test(entry.name)) found.push(path);
    }
  };
  visit(root, 0);
  return found;
}

function inOrder(folder: string): Dirent[] {
  return readdirSync(folder, { withFileTypes: true })
    .sort((a, b) => a.name < b.name ? -1 : 1);
}
