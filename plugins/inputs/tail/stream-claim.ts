import type { Stats } from "node:fs";
import { basename, dirname } from "node:path";
import type { StreamClaim } from "logcollector/plugin";
import type { BirthTimes } from "./birth-times.ts";
import type { FileIdentity } from "./file-identity.ts";
import { realPathOf } from "./real-path.ts";

// Files belong together that are, were or will be at one path, and generations of one file: their lines have an order,
// and who follows one looks for the others by their names.

const PACKED = ".gz";
/** What a rotation adds to a name. */
const ADDED = /^[-._\dTZ:+]*(?:old|bak|prev|last)?$/i;

/** The key of the file itself: the number of its device may change when the machine starts again. */
export function fileKey(ino: number, birthMs: number, dev: number | undefined): string {
  return birthMs > 0 ? `file ${ino} ${Math.floor(birthMs)}` : `file ${dev}:${ino}`;
}

/** A file that was found at a path. */
export function claimOfFound(path: string, stat: Stats, births: BirthTimes): StreamClaim {
  const { ino, dev } = stat;
  return claimOf(fileKey(ino, births.of(stat), dev), [path, realPathOf(path)], `inode ${ino}`);
}

/** A file that is known from before. */
export function claimOfKnown(
  stream: string,
  { path, home, dev, ino, birthMs }: FileIdentity,
): StreamClaim {
  const inode = `inode ${ino}`;
  const { by, as } = claimOf(fileKey(ino, birthMs, dev), [path, home], inode, `stream ${stream}`);
  // Without a time of birth the number is all there is to know it by under another name.
  return { by, as: birthMs > 0 ? as : [...as, inode] };
}

function claimOf(
  file: string,
  paths: readonly string[],
  inode: string,
  stream?: string,
): StreamClaim {
  const places = [...new Set(paths)];
  const origins = [...new Set(places.flatMap(originsOf))];
  return {
    by: [
      file,
      ...places.map((path) => `path ${path}`),
      ...(stream === undefined ? [] : [stream]),
      ...origins.map((path) => `path ${path}`),
      ...places.map((path) => `origin ${path}`),
      inode,
    ],
    as: [
      file,
      ...places.map((path) => `path ${path}`),
      ...origins.map((path) => `origin ${path}`),
      ...(stream === undefined ? [] : [stream]),
    ],
  };
}

/** The paths of files of which the file at this path may be a generation, as its name says. */
export function originsOf(path: string): string[] {
  const folder = dirname(path);
  const name = basename(path);
  const isPacked = name.endsWith(PACKED);
  const plain = isPacked ? name.slice(0, -PACKED.length) : name;
  const names = namesBefore(plain);
  if (isPacked) names.add(plain);
  return [...names].map((each) => folder === "/" ? `/${each}` : `${folder}/${each}`);
}

/** `app.log` for `app.log.1`, `app-20240131.log` and `app.log.old`: see `generationsOf`, which this turns around. */
function namesBefore(name: string): Set<string> {
  const names = new Set<string>();
  const add = (stem: string, extension: string) => {
    if (stem !== "" && stem + extension !== name) names.add(stem + extension);
  };
  for (const cut of cutsOf(name)) if (ADDED.test(name.slice(cut))) add(name.slice(0, cut), "");
  for (let dot = name.indexOf(".", 1); dot !== -1; dot = name.indexOf(".", dot + 1)) {
    for (const end of [...cutsOf(name), name.length]) {
      if (end <= dot + 1 || name.slice(dot + 1, end).includes(".")) continue;
      const behind = name.slice(end);
      if (!ADDED.test(behind)) continue;
      const extension = name.slice(dot, end);
      for (const cut of [...cutsOf(name), dot]) {
        if (cut <= dot && ADDED.test(name.slice(cut, dot) + behind)) {
          add(name.slice(0, cut), extension);
        }
      }
    }
  }
  return names;
}

/** Where something may have been added: in front of a separator, and of the first of several digits. */
function cutsOf(name: string): number[] {
  const cuts: number[] = [];
  for (let at = 1; at < name.length; at++) {
    const isDigit = /\d/.test(name[at]!);
    if (isDigit ? !/\d/.test(name[at - 1]!) : /[-._TZ:+]/.test(name[at]!)) cuts.push(at);
    else if (/^(?:old|bak|prev|last)$/i.test(name.slice(at))) cuts.push(at);
  }
  return cuts;
}
