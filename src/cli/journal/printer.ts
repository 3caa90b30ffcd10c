import type { JournalField } from "../../../plugins/inputs/systemd/journal/field-reader.ts";
import type { JournalFile } from "../../../plugins/inputs/systemd/journal/journal-file.ts";
import { writeCursor } from "../../../plugins/inputs/systemd/journal/cursor.ts";
import { isPrintable } from "../../../plugins/inputs/systemd/json-value.ts";
import { escapeControls } from "../../lib/escape-controls.ts";
import type { Format } from "./arguments.ts";

/** Writes one entry: the current one of a file. */
export type Printer = (file: JournalFile) => string | Buffer;

const BOOT_FIELD = "_BOOT_ID";

/** The formats that a person reads, and `export`. JSON is the encoder's. */
export function printerOf(format: Exclude<Format, "json">): Printer {
  switch (format) {
    case "export":
      return exportOf;
    case "cat":
      return (file) => `${textsOf(file, ["MESSAGE"])[0] ?? ""}\n`;
    case "short-iso":
      return (file) => short(file, isoTime);
    case "short":
      return (file) => short(file, shortTime);
  }
}

/** What every exported entry begins with. */
function addressOf(file: JournalFile): [name: string, value: string][] {
  return [
    ["__CURSOR", writeCursor(file)],
    ["__REALTIME_TIMESTAMP", String(file.realtimeUs)],
    ["__MONOTONIC_TIMESTAMP", String(file.monotonicUs)],
  ];
}

function short(file: JournalFile, timeOf: (us: number) => string): string {
  const [message = "", host = "-", identifier, command, pid, syslogPid] = textsOf(file, [
    "MESSAGE",
    "_HOSTNAME",
    "SYSLOG_IDENTIFIER",
    "_COMM",
    "_PID",
    "SYSLOG_PID",
  ]);
  const process = pid ?? syslogPid;
  const name = `${identifier ?? command ?? "unknown"}${
    process === undefined ? "" : `[${process}]`
  }`;
  const head = `${timeOf(file.realtimeUs)} ${host} ${name}: `;
  // Further lines are moved in, as journalctl does.
  const text = message.split("\n").map(escapeControls).join(`\n${" ".repeat(head.length)}`);
  return `${head}${text}\n`;
}

/** The first value of each of the fields. */
function textsOf(file: JournalFile, names: readonly string[]): (string | undefined)[] {
  const found = new Array<string | undefined>(names.length).fill(undefined);
  for (let i = 0; i < file.fieldCount; i++) {
    const field = file.field(i);
    const at = field === undefined ? -1 : names.indexOf(field.name.text);
    if (at >= 0) found[at] ??= field!.source.toString("utf8", field!.from, field!.to);
  }
  return found;
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const two = (n: number): string => String(n).padStart(2, "0");

function shortTime(us: number): string {
  const date = new Date(us / 1000);
  return `${MONTHS[date.getMonth()]} ${two(date.getDate())} ${clockOf(date)}`;
}

function isoTime(us: number): string {
  const date = new Date(us / 1000);
  const offset = -date.getTimezoneOffset();
  const zone = `${offset < 0 ? "-" : "+"}${two(Math.floor(Math.abs(offset) / 60))}${
    two(Math.abs(offset) % 60)
  }`;
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}T${
    clockOf(date)
  }${zone}`;
}

function clockOf(date: Date): string {
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

/** The Journal Export Format: text as lines, everything else with its length in front. */
function exportOf(file: JournalFile): Buffer {
  const parts: Buffer[] = [
    Buffer.from(
      [...addressOf(file), [BOOT_FIELD, file.bootId]].map(([name, value]) => `${name}=${value}\n`)
        .join(""),
    ),
  ];
  for (let i = 0; i < file.fieldCount; i++) {
    const field = file.field(i);
    if (field !== undefined && field.name.text !== BOOT_FIELD) parts.push(exportedField(field));
  }
  return Buffer.concat([...parts, Buffer.from("\n")]);
}

function exportedField({ name, source, from, to }: JournalField): Buffer {
  const value = source.subarray(from, to);
  if (!value.includes(0x0a) && isPrintable(source, from, to)) {
    return Buffer.concat([name.bytes, Buffer.from("="), value, Buffer.from("\n")]);
  }
  const size = Buffer.alloc(8);
  size.writeUInt32LE(value.length, 0);
  return Buffer.concat([name.bytes, Buffer.from("\n"), size, value, Buffer.from("\n")]);
}
