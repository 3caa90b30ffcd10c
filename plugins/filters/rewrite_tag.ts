import {
  type Accessor,
  Batch,
  cloneValue,
  compileAccessor,
  compilePattern,
  compileTemplate,
  ConfigError,
  defineFilter,
  field,
  type LogRecord,
  type Pattern,
  type Template,
} from "logcollector/plugin";
import * as z from "zod";

interface Rule {
  readonly key: Accessor;
  readonly pattern: Pattern;
  readonly tag: Template;
  readonly keep: boolean;
}

const KEEP: Readonly<Record<string, boolean>> = {
  true: true,
  on: true,
  yes: true,
  false: false,
  off: false,
  no: false,
};

const FORM = "KEY REGEX NEW_TAG KEEP";
const rule = field.custom(FORM, (text): Rule => {
  const [key, regex, tag, word, ...rest] = field.splitWords(text, 5);
  if (word === undefined || rest.length > 0) {
    throw new RangeError(`expected "${FORM}", got ${JSON.stringify(text)}`);
  }
  const keep = KEEP[word.toLowerCase()];
  if (keep === undefined) throw new RangeError(`KEEP must be true or false, got "${word}"`);
  return {
    key: compileAccessor(key!),
    pattern: compilePattern(regex!),
    tag: compileTemplate(tag!),
    keep,
  };
});

const config = z.object({
  rule: field.repeated(rule).default([])
    .describe("Give records whose KEY matches REGEX a new tag; the first rule that matches counts"),
  emitter_name: field.text().optional()
    .describe("Accepted for compatibility: re-tagged records need no emitter here"),
  "emitter_storage.type": field.oneOf("memory", "filesystem").default("memory")
    .describe("Accepted for compatibility: re-tagged records are held as their batch is"),
  emitter_mem_buf_limit: field.size().default(10_000_000)
    .describe("Accepted for compatibility: re-tagged records are not queued"),
});

export default defineFilter({
  name: "rewrite_tag",
  summary: "Sends records under another tag through the pipeline again.",
  config,
  create({ rule: rules }, ctx) {
    if (rules.length === 0) throw new ConfigError("at least one rule is needed", "rule");
    const unnamed = ctx.metrics.counter(
      "filter_retag_empty_total",
      "Records that kept their tag because the new one came out empty",
    );
    const process = (batch: Batch): Batch | Batch[] => {
      const moved = new Map<string, LogRecord[]>();
      const { records, tag } = batch;
      let kept = 0;
      for (let i = 0; i < records.length; i++) {
        const record = records[i]!;
        const found = newTag(rules, record, tag);
        if (found?.tag === "") unnamed.value++;
        if (found === undefined || found.tag === "" || found.tag === tag) {
          records[kept++] = record;
          continue;
        }
        const group = moved.get(found.tag);
        const copy = found.keep ? cloneRecord(record) : record;
        if (group === undefined) moved.set(found.tag, [copy]);
        else group.push(copy);
        if (found.keep) records[kept++] = record;
      }
      records.length = kept;
      if (moved.size === 0) return batch;
      const retagged = Array.from(moved, ([newTag, group]) => batch.retag(newTag, group));
      return kept === 0 ? retagged : [batch, ...retagged];
    };
    return { process };
  },
});

function newTag(
  rules: readonly Rule[],
  record: LogRecord,
  tag: string,
): { tag: string; keep: boolean } | undefined {
  for (const rule of rules) {
    const value = rule.key.get(record.body);
    if (typeof value !== "string") continue;
    const captures = rule.pattern.exec(value);
    if (captures !== null) {
      return { tag: rule.tag.render(record.body, tag, captures), keep: rule.keep };
    }
  }
  return undefined;
}

function cloneRecord({ sec, nsec, body, metadata }: LogRecord): LogRecord {
  const copy: LogRecord = { sec, nsec, body: cloneValue(body) };
  if (metadata !== undefined) copy.metadata = cloneValue(metadata);
  return copy;
}
