import type { LogRecord } from "../../sdk/record.ts";
import { type MultilineDefinition, textOf } from "./definition.ts";
import { emit, type FedLine, Group, type JoinedShape } from "./group.ts";

/** More groups than this in one stream share one, so that a field of many values costs no memory. */
const MAX_GROUPS = 64;

/** One multiline parser at work on one stream. */
export class StreamParser {
  readonly definition: MultilineDefinition;
  readonly keyContent: string | undefined;
  private readonly shape: JoinedShape;
  private readonly groups: Group[];
  private readonly byName = new Map<string, Group>();

  constructor(
    definition: MultilineDefinition,
    shape: JoinedShape,
    keyContent: string | undefined,
  ) {
    this.definition = definition;
    this.shape = shape;
    this.keyContent = keyContent ?? definition.keyContent;
    this.groups = [new Group(shape, this.keyContent)];
  }

  /** Takes a line of plain text; false when it does not fit this parser. */
  takeText(line: FedLine, text: string, out: LogRecord[]): boolean {
    const { parser } = this.definition;
    if (parser !== undefined) {
      const record = parser.parse(text, line.sec, line.nsec);
      return record !== null && this.takeParsed(line, record, out);
    }
    line.content = text;
    line.body = undefined;
    return this.take(line, text, this.groups[0]!, out);
  }

  /** Takes a record; false when it does not fit this parser. */
  takeRecord(line: FedLine, record: LogRecord, out: LogRecord[]): boolean {
    const { parser } = this.definition;
    if (parser === undefined) return this.takeParsed(line, record, out);
    const text = textOf(record.body, this.keyContent);
    if (text === undefined) return false;
    const parsed = parser.parse(text, record.sec, record.nsec);
    return parsed !== null && this.takeParsed(line, parsed, out);
  }

  private takeParsed(line: FedLine, record: LogRecord, out: LogRecord[]): boolean {
    const { definition } = this;
    const { body } = record;
    const content = textOf(body, this.keyContent);
    if (content === undefined) return false;
    const pattern = textOf(body, definition.keyPattern) ?? content;
    const group = this.groupOf(textOf(body, definition.keyGroup));
    // Most lines are whole records: they need no group.
    if (definition.rules === undefined && !group.isOpen && definition.completes(pattern)) {
      if (content.length <= this.shape.maxLength) {
        emit(out, body, record.sec, record.nsec, line.metadata, line.position, this.shape);
        return true;
      }
    }
    line.content = content;
    line.body = body;
    line.sec = record.sec;
    line.nsec = record.nsec;
    return this.take(line, pattern, group, out);
  }

  private take(line: FedLine, pattern: string, group: Group, out: LogRecord[]): boolean {
    const { rules, completes } = this.definition;
    if (rules !== undefined) return this.takeByRules(line, group, out);
    group.open(line);
    if (this.keyContent === undefined) group.breakLine();
    group.append(line.content);
    if (completes(pattern)) group.flush(out);
    return true;
  }

  private takeByRules(line: FedLine, group: Group, out: LogRecord[]): boolean {
    const rules = this.definition.rules!;
    let rule = group.rule === undefined ? undefined : rules.next(group.rule, line.content);
    if (rule !== undefined) {
      group.open(line);
      group.breakLine();
      if (!group.append(line.content === "" ? "\n" : line.content)) {
        // Full: what comes next belongs to no record until one starts again.
        group.flush(out);
        group.rule = undefined;
        return true;
      }
    } else {
      rule = rules.start(line.content);
      if (rule === undefined) return false;
      group.flush(out);
      group.open(line);
      group.append(line.content);
    }
    group.rule = rule;
    if (rule.completes && group.length > 0) group.flush(out);
    return true;
  }

  private groupOf(name: string | undefined): Group {
    if (name === undefined) return this.groups[0]!;
    const known = this.byName.get(name);
    if (known !== undefined) return known;
    if (this.groups.length >= MAX_GROUPS) return this.groups[0]!;
    const group = new Group(this.shape, this.keyContent);
    this.groups.push(group);
    this.byName.set(name, group);
    return group;
  }

  /** Completes what waits, group by group in the order in which they came, as in Fluent Bit. */
  flush(out: LogRecord[]): void {
    for (const group of this.groups) group.flush(out);
  }

  /** Makes known that there were lines of this group, which were whole records. */
  touch(group: string): void {
    this.groupOf(group);
  }

  /** What waits has this position from now on. */
  moveTo(position: number): void {
    for (const group of this.groups) if (group.isOpen) group.position = position;
  }

  /** The position of the first line that waits, or -1. */
  get pendingPosition(): number {
    let first = -1;
    for (const { position } of this.groups) {
      if (position !== -1 && (first === -1 || position < first)) first = position;
    }
    return first;
  }
}
