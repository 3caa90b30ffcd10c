import type { JournalField } from "../../../plugins/inputs/systemd/journal/field-reader.ts";
import type { JournalFile } from "../../../plugins/inputs/systemd/journal/journal-file.ts";
import { writeCursor } from "../../../plugins/inputs/systemd/journal/cursor.ts";
import { isPrintable } from "../../../plugins/inputs/systemd/json-value.ts";
import { escapeControls } from "../../lib/escape-controls.ts";
import type { Format } from "./arguments.ts";
import type { BlockWriter } from "./block-writer.ts";

/** Writes one entry: the current one of a file. */
export type Printer = (file: JournalFile, out: BlockWriter) => void;

const BOOT_FIELD = "_BOOT_ID";

/** The formats that a person reads, and `export`. JSON is the encoder's. */
export function printerOf(format: Exclude<Format, "json">): Printer {
  switch (format) {
    case "export":
      return writeExport;
    case "cat":
      return (file, out) => out.text(`${textsOf(file, ["MESSAGE"])[0] ?? ""}\n`);
    case "short-iso":
      return (file, out) => out.text(short(file, isoTime));
    case "short":
      return (file, out) => out.text(short(file, shortTime));
  }
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

const EQUALS = 0x3d;
const LF = 0x0a;

/** The Journal Export Format: text as lines, everything else with its length in front. */
function writeExport(file: JournalFile, out: BlockWriter): void {
  out.text(
    `__CURSOR=${writeCursor(file)}\n__REALTIME_TIMESTAMP=${file.realtimeUs}\n` +
      `__MONOTONIC_TIMESTAMP=${file.monotonicUs}\n${BOOT_FIELD}=${file.bootId}\n`,
  );
  const { fieldCount } = file;
  for (let i = 0; i < fieldCount; i++) {
    const field = file.field(i);
    if (field !== undefined && field.name.text !== BOOT_FIELD) writeField(field, out);
  }
  out.byte(LF);
}

function writeField({ name, source, from, to }: JournalField, out: BlockWriter): void {
  out.bytes(name.bytes, 0, name.bytes.length);
  if (isLine(source, from, to)) out.byte(EQUALS);
  else {
    const size = Buffer.alloc(8);
    size.writeUInt32LE(to - from, 0);
    out.byte(LF);
    out.bytes(size, 0, 8);
  }
  out.bytes(source, from, to);
  out.byte(LF);
}

/** Text that may stand on one line. */
function isLine(source: Uint8Array, from: number, to: number): boolean {
  for (let i = from; i < to; i++) {
    const c = source[i]!;
    if (c < 0x20 && c !== 0x09) return false;
    if (c >= 0x7f) return !source.subarray(from, to).includes(LF) && isPrintable(source, from, to);
  }
  return true;
}
