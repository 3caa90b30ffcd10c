import { field } from "logcollector/plugin";
import * as z from "zod";
import { readPriorities } from "./priorities.ts";
import { readSince } from "./since.ts";

export const systemdConfig = z.object({
  path: field.list().default([]).describe(
    "Folders of journal files, or single files, separated by commas; without it the machine's own journal in /var/log/journal and /run/log/journal",
  ),
  db: field.text().optional().describe("File that the position is kept in"),
  "db.sync": field.oneOf("extra", "full", "normal", "off").default("normal").describe(
    "How the position is written: off never waits for the disk, the others do, once per interval",
  ),
  systemd_filter: field.repeated(field.text()).default([]).describe(
    "Reads only entries with this field, as in _SYSTEMD_UNIT=ssh.service",
  ),
  systemd_filter_type: field.oneOf("or", "and").default("or").describe(
    "Whether one of the filters must hold, or all",
  ),
  units: field.list().default([]).describe(
    "Reads only what these units wrote, and what the system wrote of them; ssh means ssh.service, * stands for anything",
  ),
  identifiers: field.list().default([]).describe(
    "Reads only entries with one of these SYSLOG_IDENTIFIERs",
  ),
  priority: field.custom("priority", readPriorities).optional().describe(
    "Reads only entries of this priority and worse, as in warning or 4, or of a range, as in err..info",
  ),
  since: field.custom("time", readSince).optional().describe(
    "Where reading begins without a saved position: 2026-01-31, 2026-01-31 12:00:00, or how long ago, as in 2h",
  ),
  boot: field.oneOf("all", "current").default("all").describe(
    "Reads entries since the machine was started only, or those before too",
  ),
  namespace: field.text().optional().describe(
    "Journal namespace to read, * for all; without it those without one",
  ),
  include_kernel: field.bool().default(true).describe("Reads what the kernel wrote too"),
  read_from_tail: field.bool().default(false).describe(
    "Without a saved position begins with what comes after the start",
  ),
  max_entries: field.int({ min: 1, max: 1_000_000 }).default(5000).describe(
    "Most entries that are read before others have their turn",
  ),
  max_fields: field.int({ min: 1, max: 1_000_000 }).default(8000).describe(
    "Further fields of an entry are left out",
  ),
  max_field_size: field.size({ min: 1, max: 64 * 1024 * 1024 }).default(64 * 1024).describe(
    "Longer values are cut",
  ),
  lowercase: field.bool().default(false).describe("Writes names of fields in lower case"),
  strip_underscores: field.bool().default(false).describe(
    "Takes underscores off the front of names",
  ),
  time_from: field.oneOf("received", "source").default("received").describe(
    "Time of a record: when journald got it, or when it was written as far as that is known (_SOURCE_REALTIME_TIMESTAMP)",
  ),
});

export type SystemdConfig = z.output<typeof systemdConfig>;
