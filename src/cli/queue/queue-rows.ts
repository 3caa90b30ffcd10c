import { printable } from "../../telemetry/printable.ts";
import type { QueueOnDisk } from "./look-at-queue.ts";

export type Row = readonly [name: string, value: string];

/** A queue as a paragraph: whose it is, and then what is to be said of it. */
export function queueRows({ folder, identity }: QueueOnDisk, rows: readonly Row[]): string {
  const { output = "?", plugin = "?", format = "" } = identity ?? {};
  const form = format === "" ? "" : `, format ${format}`;
  const title = `${output}, for plugin ${plugin}${form}`;
  const all: readonly Row[] = [["folder", folder], ...rows];
  const lines = all.map(([name, value]) => `  ${name.padEnd(9)} ${printable(value)}\n`);
  return `${printable(title)}\n${lines.join("")}\n`;
}

/** The same for programs. */
export function queueFields({ folder, identity, content, bytes }: QueueOnDisk) {
  const { output = null, plugin = null, format = null } = identity ?? {};
  return { folder, output, plugin, format, segments: content.segments.length, bytes };
}
