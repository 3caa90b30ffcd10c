import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import type { Random } from "./random.ts";

const REMOTE = "/lib/systemd/systemd-journal-remote";
const JOURNALD = "/lib/systemd/systemd-journald";

/** Whether journals can be made here, and compared with what journalctl reads; why not, if not. */
export const journalToolsMissing: string | undefined = [REMOTE, JOURNALD, "/usr/bin/journalctl"]
    .every((path) => existsSync(path))
  ? undefined
  : "systemd, systemd-journal-remote: see scripts/install-journald.sh";

/** An entry as it is given to systemd-journal-remote. */
export interface SourceEntry {
  readonly realtimeUs: number;
  readonly monotonicUs: number;
  readonly bootId: string;
  readonly fields: readonly (readonly [name: string, value: string | Buffer])[];
}

export interface JournalForm {
  readonly isCompact?: boolean;
  readonly isKeyed?: boolean;
  readonly isCompressed?: boolean;
}

/** Writes entries into a journal file, by systemd's own program. The path ends in `.journal`. */
export function makeJournal(
  path: string,
  entries: readonly SourceEntry[],
  form: JournalForm = {},
): void {
  const { isCompact = true, isKeyed = true, isCompressed = true } = form;
  const args = ["-o", path, isCompressed ? "--compress=yes" : "--compress=no", "-"];
  const env = {
    PATH: process.env.PATH ?? "",
    SYSTEMD_JOURNAL_COMPACT: isCompact ? "1" : "0",
    SYSTEMD_JOURNAL_KEYED_HASH: isKeyed ? "1" : "0",
  };
  const input = Buffer.concat(entries.map(exportOf));
  const { status, stderr } = spawnSync(REMOTE, args, { input, env });
  if (status !== 0) throw new Error(`Cannot make ${path}: ${stderr}`);
}

/** The Journal Export Format. */
function exportOf({ realtimeUs, monotonicUs, bootId, fields }: SourceEntry): Buffer {
  const parts = [
    Buffer.from(
      `__REALTIME_TIMESTAMP=${realtimeUs}\n__MONOTONIC_TIMESTAMP=${monotonicUs}\n_BOOT_ID=${bootId}\n`,
    ),
  ];
  for (const [name, value] of fields) {
    const bytes = Buffer.from(value as string);
    if (isPlainText(bytes)) parts.push(Buffer.from(`${name}=`), bytes, Buffer.from("\n"));
    else {
      const size = Buffer.alloc(8);
      size.writeUInt32LE(bytes.length, 0);
      parts.push(Buffer.from(`${name}\n`), size, bytes, Buffer.from("\n"));
    }
  }
  return Buffer.concat([...parts, Buffer.from("\n")]);
}

function isPlainText(bytes: Buffer): boolean {
  return bytes.every((byte) => byte >= 0x20 && byte < 0x7f);
}

/** An entry as journalctl or this program's reader gives it. */
export interface ReadEntry {
  readonly cursor: string;
  /** `NAME=value` in hexadecimal, sorted. */
  readonly fields: readonly string[];
}

/** What journalctl reads of a folder. */
export function journalctl(folder: string, ...args: string[]): ReadEntry[] {
  const all = ["-D", folder, "-o", "export", "--no-pager", "-q", ...args];
  const { status, stdout, stderr } = spawnSync("journalctl", all, { maxBuffer: 1 << 30 });
  if (status !== 0 && stdout.length === 0) throw new Error(`journalctl: ${stderr}`);
  return parseExport(stdout);
}

function parseExport(bytes: Buffer): ReadEntry[] {
  const entries: ReadEntry[] = [];
  let cursor = "";
  let fields: string[] = [];
  for (let at = 0; at < bytes.length;) {
    const end = bytes.indexOf(0x0a, at);
    if (end === at) {
      entries.push({ cursor, fields: fields.sort() });
      [cursor, fields, at] = ["", [], at + 1];
      continue;
    }
    const equals = bytes.indexOf(0x3d, at);
    let field: Buffer;
    if (equals >= 0 && equals < end) {
      field = bytes.subarray(at, end);
      at = end + 1;
    } else {
      const size = bytes.readUInt32LE(end + 1);
      const name = bytes.subarray(at, end);
      field = Buffer.concat([name, Buffer.from("="), bytes.subarray(end + 9, end + 9 + size)]);
      at = end + 10 + size;
    }
    const text = field.toString("latin1");
    if (text.startsWith("__CURSOR=")) cursor = text.slice(9);
    else if (!text.startsWith("__")) fields.push(field.toString("hex"));
  }
  return entries;
}

const BOOTS = ["1".repeat(32), "2".repeat(32), "abcdef0123456789".repeat(2)];

/** Entries as services write them, with everything in them that is allowed. */
export function someEntries(
  random: Random,
  count: number,
  startUs = 1_700_000_000_000_000,
  boots: readonly string[] = BOOTS,
): SourceEntry[] {
  let realtimeUs = startUs;
  let monotonicUs = 1_000_000;
  let boot = 0;
  return Array.from({ length: count }, (_, i) => {
    const step = 1 + random.below(50_000);
    realtimeUs += step;
    monotonicUs += step;
    if (random.below(Math.ceil(count / 3)) === 0) {
      boot = (boot + 1) % boots.length;
      monotonicUs = 1_000_000;
    }
    return { realtimeUs, monotonicUs, bootId: boots[boot]!, fields: someFields(random, i) };
  });
}

function someFields(random: Random, i: number): [string, string | Buffer][] {
  const unit = random.below(12);
  const fields: [string, string | Buffer][] = [
    ["_HOSTNAME", "edge-1"],
    ["PRIORITY", String(random.below(8))],
    ["SYSLOG_IDENTIFIER", `app-${unit}`],
    ["_PID", String(1000 + unit)],
    ["_UID", unit % 3 === 0 ? "0" : "1000"],
    ["_SYSTEMD_UNIT", `app-${unit}.service`],
    ["_TRANSPORT", random.pick(["stdout", "journal", "kernel", "syslog"])],
    ["MESSAGE", `message ${i} of app-${unit}`],
  ];
  const kind = random.below(20);
  if (kind === 0) fields.push(["LONG", `${"a long story ".repeat(100 + random.below(2000))}${i}`]);
  else if (kind === 1) fields.push(["BINARY", Buffer.from([0, 10, 255, 254, i & 255, 128, 61])]);
  else if (kind === 2) fields.push(["TAG", "one"], ["TAG", "two"], ["TAG", `three ${i}`]);
  else if (kind === 3) fields.push(["LINES", `first\nsecond "quoted" \\ back\tslash ${i}`]);
  else if (kind === 4) fields.push(["TEXT", `Grüße, 世界 🌍 ${i}`]);
  else if (kind === 5) fields.push(["NOISE", Buffer.from(noise(random, 700 + random.below(3000)))]);
  else if (kind === 6) {
    fields.push(["_SOURCE_REALTIME_TIMESTAMP", String(1_700_000_000_000_000 + i)]);
  }
  return fields;
}

function noise(random: Random, length: number): Uint8Array {
  return Uint8Array.from({ length }, () => random.below(256));
}
