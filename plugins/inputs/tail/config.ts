import { field } from "logcollector/plugin";
import * as z from "zod";

/** Encodings that Fluent Bit names in its own way; every other label is the Encoding Standard's. */
const ENCODING_NAMES: Readonly<Record<string, string>> = {
  "utf-16le": "utf-16le",
  "utf-16be": "utf-16be",
  shiftjis: "shift_jis",
  sjis: "shift_jis",
  cp932: "shift_jis",
  "windows-31j": "shift_jis",
  uhc: "euc-kr",
  cp949: "euc-kr",
  "windows-949": "euc-kr",
  gbk: "gbk",
  gb18030: "gb18030",
  big5: "big5",
  win866: "ibm866",
  cp866: "ibm866",
  win874: "windows-874",
  cp874: "windows-874",
  ...Object.fromEntries(
    [1250, 1251, 1252, 1253, 1254, 1255, 1256].flatMap((page) => [
      [`win${page}`, `windows-${page}`],
      [`cp${page}`, `windows-${page}`],
    ]),
  ),
};

/** A name of an encoding, checked now instead of at the first line. */
function encoding() {
  return field.text().transform((name, check) => {
    const label = ENCODING_NAMES[name.toLowerCase()] ?? name.toLowerCase();
    if (label === "auto") return "auto";
    try {
      new TextDecoder(label as Bun.Encoding);
      return label;
    } catch {
      check.addIssue({ code: "custom", message: `unknown encoding ${JSON.stringify(name)}` });
      return z.NEVER;
    }
  }).meta({ fieldType: "encoding" });
}

const KiB = 1024;

export const tailConfig = z.object({
  path: field.list().describe(
    "Files to read: paths or patterns with * ? [a-z] {a,b} and ** for any depth of folders, separated by commas",
  ),
  exclude_path: field.list().default([]).describe(
    "Patterns of paths to leave out; * also matches /",
  ),
  key: field.text().default("log").describe("Field that a line which no parser takes becomes"),
  tag_regex: field.pattern().optional().describe(
    "Takes named parts out of the path, for <name> in the tag",
  ),
  path_key: field.text().optional().describe("Field that gets the path of the file"),
  offset_key: field.text().optional().describe(
    "Field that gets the line's offset in the file, in bytes",
  ),
  read_from_head: field.bool().default(false).describe(
    "Reads files that exist at the start from their beginning instead of from their end",
  ),
  read_newly_discovered_files_from_head: field.bool().default(true).describe(
    "Reads files that appear later from their beginning",
  ),
  refresh_interval: field.duration().default(1000).describe(
    "How often the patterns are looked up again; new files are usually seen at once through a watch on their folder",
  ),
  max_files: field.int({ min: 1 }).default(100_000).describe(
    "Files followed at once, at most. Further ones that match are left alone until others are gone, with a warning",
  ),
  scan_limit: field.int({ min: 1 }).default(1_000_000).describe(
    "Names looked at for one pattern, at most, when the patterns are looked up. What lies beyond is not found, with a warning",
  ),
  rotate_wait: field.duration().default(5000).describe(
    "How long a file that was renamed or deleted is still read after its last growth",
  ),
  ignore_older: field.duration().default(0).describe(
    "Leaves out files that were last changed longer ago than this; 0 for no limit",
  ),
  ignore_active_older_files: field.bool().default(false).describe(
    "Also stops reading a followed file when it becomes older than ignore_older",
  ),
  buffer_chunk_size: field.size({ min: 1 }).default(64 * KiB).describe("Bytes read at once"),
  buffer_max_size: field.size({ min: 16 }).default(32 * KiB).describe(
    "A line that does not fit into this with its line break is a long line",
  ),
  skip_long_lines: field.bool().default(false).describe("Leaves long lines out, and counts them"),
  truncate_long_lines: field.bool().optional().describe(
    "Cuts long lines at buffer_max_size. This is also done when neither option is set; then the record is marked with _truncated: true",
  ),
  skip_empty_lines: field.bool().default(false).describe("Leaves empty lines out"),
  exit_on_eof: field.bool().default(false).describe(
    "Stops the collector when all files found at the start were read to their end",
  ),
  parser: field.text().optional().describe("Parser that makes fields of a line"),
  "multiline.parser": field.list().default([]).describe(
    "Multiline parsers that join lines; the first that matches is used",
  ),
  docker_mode: field.bool().default(false).describe(
    "Joins lines that Docker's json-file driver split",
  ),
  docker_mode_flush: field.duration().default(4000).describe(
    "How long a part of a split line waits for the next",
  ),
  docker_mode_parser: field.text().optional().describe(
    "Parser whose match starts a new message in docker_mode",
  ),
  "unicode.encoding": encoding().optional().describe(
    "Encoding of the files: UTF-16LE, UTF-16BE or auto, by the byte order mark",
  ),
  "generic.encoding": encoding().optional().describe(
    "Encoding of the files: ShiftJIS, GBK, Big5, Win1252 and others",
  ),
  db: field.text().optional().describe(
    "File for the positions, a SQLite database; what it names need not exist. A database that Fluent Bit left there is taken over",
  ),
  "db.sync": field.oneOf("extra", "full", "normal", "off").default("normal").describe(
    "How positions are written: off never waits for the disk, the others do, once per interval",
  ),
  "db.locking": field.bool().default(false).describe(
    "Keeps other programs from even reading the database while the collector runs",
  ),
  "db.journal_mode": field.oneOf("WAL", "DELETE", "TRUNCATE", "PERSIST", "MEMORY", "OFF")
    .default("WAL").describe("SQLite's journal mode for the database"),
  "db.compare_filename": field.bool().default(false).describe(
    "A saved position counts only for a file that is found under the path that it was saved with",
  ),
  watcher_interval: field.duration().optional().describe("Accepted for compatibility"),
  progress_check_interval: field.duration().optional().describe("Accepted for compatibility"),
  progress_check_interval_nsec: field.int().optional().describe("Accepted for compatibility"),
  inotify_watcher: field.bool().default(true).describe(
    "Watches folders for changes. Off: changes are found by polling alone",
  ),
  file_cache_advise: field.bool().optional().describe("Accepted for compatibility"),
  static_batch_size: field.size().optional().describe("Accepted for compatibility"),
  event_batch_size: field.size().optional().describe("Accepted for compatibility"),
});

export type TailConfig = z.output<typeof tailConfig>;
