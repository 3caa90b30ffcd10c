import { field } from "logcollector/plugin";
import type * as z from "zod";

const ACTIONS = ["error", "drop", "fallback"] as const;

/** The options of the file output. */
export const fileFields = {
  path: field.text().optional().describe(
    "Folder of the files. May name record fields, as in /var/log/$app, after a fixed beginning.",
  ),
  file: field.text().optional().describe(
    "Name of the file. May name record fields. Without it the tag is the name.",
  ),
  format: field.oneOf("out_file", "plain", "csv", "ltsv", "template", "msgpack")
    .default("out_file").describe(
      "Format of a record: out_file is tag, time and JSON; plain is JSON alone, one record a line.",
    ),
  template: field.text().default("{time} {message}")
    .describe("Line of the template format: {time} is the record's time, {name} a field."),
  delimiter: field.text().optional()
    .describe("Between two fields of csv and ltsv: tab, space or comma."),
  label_delimiter: field.text().optional()
    .describe("Between the name and the value of ltsv: tab, space or comma."),
  csv_column_names: field.bool().default(false)
    .describe("Begins a csv file with the names of the first record's fields."),
  mkdir: field.bool().default(false).describe("Makes folders that are missing, with mode 0755."),
  enable_strftime: field.bool().default(false).describe(
    "Replaces %Y, %m, %d and the like in path and file by the record's time in UTC.",
  ),
  max_dynamic_files: field.int({ min: 0 }).default(1024).describe(
    "Files that path and file may name by fields or time within one hour; 0 means no limit.",
  ),
  on_missing_field: field.oneOf(...ACTIONS).default("error").describe(
    "What happens to a record without the field, or with an unsafe value: dropped with an error, with a warning, or sent to the fallback file.",
  ),
  on_limit_reached: field.oneOf(...ACTIONS).default("error")
    .describe("What happens to a record that would need one file more than max_dynamic_files."),
  fallback_path: field.text().optional().describe("Folder of the fallback file."),
  fallback_file: field.text().optional().describe("Name of the fallback file."),
  rotate: field.bool().default(false)
    .describe("Renames a file that has grown to rotate_max_size and begins a new one."),
  rotate_max_size: field.size().default(100_000_000)
    .describe("Size at which a file is rotated, in bytes."),
  rotate_max_files: field.int({ min: 1 }).default(7)
    .describe("Number of rotated files to keep beside each file."),
  rotate_gzip: field.bool().default(true).describe("Compresses rotated files with gzip."),
};

export type FileConfig = z.output<z.ZodObject<typeof fileFields>>;
