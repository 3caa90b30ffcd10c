import { resolve } from "node:path";

/** A path that the configuration alone decides; `undefined` when the tag has to name the file. */
export function fixedPath(
  config: { readonly path?: string | undefined; readonly file?: string | undefined },
): string | undefined {
  if (config.file === undefined) return undefined;
  return compose(config.path, config.file);
}

/** Fluent Bit puts the two together as text: even `/name` stays inside of `path`. */
export function compose(path: string | undefined, file: string): string {
  return resolve(path === undefined ? file : `${path}/${file}`);
}

/** The file that a tag names below `path`. Calls `refuse` and returns `undefined` when no file can be called that. */
export function safeTagPath(
  path: string | undefined,
  tag: string,
  refuse: (reason: string) => void,
): string | undefined {
  const name = sanitizeTag(tag);
  if (isTooLong(name)) {
    refuse(`Dropped records: no file can be named after a tag of ${tag.length} characters`);
    return undefined;
  }
  return compose(path ?? ".", name);
}

/**
 * A relative path made of a tag as Fluent Bit makes it: slashes separate folders, `.` and `..` become `_`,
 * and so does every character but letters, digits, `-`, `_` and `.`.
 */
export function sanitizeTag(tag: string): string {
  const parts = tag.split(/[/\\]+/).filter((part) => part !== "").map((part) =>
    part === "." || part === ".."
      ? "_"
      // One for each byte, as the C library sees it.
      : part.replace(/[^A-Za-z0-9._-]/gu, (c) => "_".repeat(Buffer.byteLength(c)))
  );
  return parts.length === 0 ? "_" : parts.join("/");
}

/** What a file system takes as one name, less what rotation appends to it. */
const MAX_NAME_BYTES = 255 - ".YYYYMMDD_HHMMSS_xxxxxxxx.gz.part".length;
const MAX_PATH_BYTES = 3000;

export function isTooLong(path: string): boolean {
  return Buffer.byteLength(path) > MAX_PATH_BYTES ||
    path.split("/").some((name) => Buffer.byteLength(name) > MAX_NAME_BYTES);
}
