import {
  type Batch,
  type JsonHead,
  jsonLinesWriter,
  lineFrame,
  quotedLinesWriter,
  quoteLines,
  type RawLines,
} from "logcollector/plugin";
import type { BulkLines } from "./bulk-lines.ts";
import type { BulkConfig } from "./config.ts";
import { type ExtraFields, fractionOf } from "./extra-fields.ts";
import { dateText, type IndexNames } from "./index-name.ts";

const ZERO = 0x30;

/**
 * Writes batches that are still lines or JSON without making records of them; the function returns `undefined` for those
 * that must become records. Where the index or the id come from fields, that is all of them.
 */
export function bulkBytesWriter(
  config: BulkConfig,
  indices: IndexNames,
  bulk: BulkLines,
  extras: ExtraFields,
): (batch: Batch) => Uint8Array | string | undefined {
  const hasOneName = config.include_tag_key && config.tag_key === config.time_key;
  const mustLookInside = indices.needsBody || config.id_key !== undefined || config.generate_id ||
    config.replace_dots;
  if (mustLookInside || hasOneName) return () => undefined;
  const head = new TimedHead(config, indices, bulk);
  const writeJson = jsonLinesWriter({ head, between: bulk.tail, end: bulk.tail });
  const writeLines = quotedLinesWriter();

  function lines(raw: RawLines, tag: string): Uint8Array | string | undefined {
    const { sec, nsec, key } = raw;
    const frame = lineFrame({ ...extras(sec, nsec, tag), ...raw.extra }, key);
    if (frame === undefined) return undefined;
    const before = bulk.head(indices.of(sec, tag, {}), undefined) + frame.before;
    const after = frame.after + bulk.tail;
    const between = after + before;
    return writeLines(raw, { before, between, after }) ??
      before + quoteLines(raw, between) + after;
  }

  return ({ raw, json, tag }) => {
    if (raw !== undefined) return lines(raw, tag);
    if (json === undefined) return undefined;
    head.begin(tag);
    return writeJson(json);
  };
}

/** The line in front of a document and the beginning of it, of which only the second's fraction is new each time. */
class TimedHead implements JsonHead {
  readonly names: readonly string[];
  private readonly textOf: (sec: number) => string;
  private readonly digits: number;
  private readonly unit: number;
  private readonly tagName: string | undefined;
  private lastSec = NaN;
  private before = Buffer.alloc(0);
  private after = Buffer.from('Z"');

  constructor(config: BulkConfig, indices: IndexNames, bulk: BulkLines) {
    const { time_key: timeKey, tag_key: tagKey, include_tag_key: hasTag } = config;
    const secondOf = dateText(config.time_key_format);
    const name = `{${JSON.stringify(timeKey)}:`;
    ({ digits: this.digits, unit: this.unit } = fractionOf(config));
    this.names = hasTag ? [timeKey, tagKey] : [timeKey];
    this.tagName = hasTag ? `,${JSON.stringify(tagKey)}:` : undefined;
    this.textOf = (sec) => {
      const time = JSON.stringify(`${secondOf(sec)}.`).slice(0, -1);
      return bulk.head(indices.of(sec, "", {}), undefined) + name + time;
    };
  }

  /** Begins a batch. What is remembered of the one before may depend on when that was. */
  begin(tag: string): void {
    this.lastSec = NaN;
    if (this.tagName === undefined) return;
    this.after = Buffer.from(`Z"${this.tagName}${JSON.stringify(tag)}`);
  }

  longest(seconds: Float64Array, count: number): number {
    let longest = 0;
    for (let i = 0; i < count; i++) {
      this.move(seconds[i]!);
      longest = Math.max(longest, this.before.length);
    }
    return longest + this.digits + this.after.length;
  }

  put(sec: number, nsec: number, out: Buffer, at: number): number {
    this.move(sec);
    at += this.before.copy(out, at);
    let rest = Math.floor(nsec / this.unit);
    for (let k = this.digits - 1; k >= 0; k--) {
      const next = Math.floor(rest / 10);
      out[at + k] = ZERO + rest - next * 10;
      rest = next;
    }
    at += this.digits;
    return at + this.after.copy(out, at);
  }

  private move(sec: number): void {
    if (sec === this.lastSec) return;
    this.lastSec = sec;
    this.before = Buffer.from(this.textOf(sec));
  }
}
