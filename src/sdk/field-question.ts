import type { Kernels } from "../lib/kernels.ts";
import { compileLineProgram, type LineProgram } from "../lib/line-program.ts";
import type { Pattern } from "../lib/pattern.ts";
import { askAll } from "./ask-all.ts";
import type { JsonLines } from "./json-lines.ts";
import { stringifyJson } from "../lib/json-text.ts";
import type { Body } from "./record.ts";

/** The kinds as src/kernels/ask-lines.ts knows them. */
const KINDS = { exists: 0, equals: 1, matches: 2 } as const;
const UNSURE = 2;
const BACKSLASH = "\\";

export type Asked =
  | { readonly kind: "exists" }
  | { readonly kind: "equals"; readonly text: string }
  | { readonly kind: "matches"; readonly pattern: Pattern; readonly booleans: boolean };

/** Asks for one field of each record of a batch that still is JSON. */
export class FieldQuestion {
  readonly kind = "field";
  readonly asked: Asked;
  private readonly test: (body: Body) => boolean;
  private readonly first: string;
  private readonly names: number;
  /** What is put into the kernel's memory. */
  private readonly texts: Buffer;
  private readonly expectedAt: number;
  private readonly program: LineProgram | undefined;

  /** Returns `undefined` for a path through an array. */
  static of(
    path: readonly (string | number)[],
    asked: Asked,
    test: (body: Body) => boolean,
  ): FieldQuestion | undefined {
    const names = path.filter((name) => typeof name === "string");
    return names.length === path.length ? new FieldQuestion(names, asked, test) : undefined;
  }

  private constructor(names: readonly string[], asked: Asked, test: (body: Body) => boolean) {
    this.asked = asked;
    this.test = test;
    this.first = names[0]!;
    this.names = names.length;
    const texts = names.map((name) => Buffer.from(JSON.stringify(name)));
    const lengths = new Int32Array(texts.map(({ length }) => length));
    const expected = asked.kind === "equals" ? stringifyJson(asked.text) : "";
    this.texts = Buffer.concat([Buffer.from(lengths.buffer), ...texts, Buffer.from(expected)]);
    this.expectedAt = lengths.byteLength + texts.reduce((sum, { length }) => sum + length, 0);
    this.program = asked.kind === "matches" ? compileLineProgram(asked.pattern.source) : undefined;
  }

  /** Puts the answers into the kernel's memory. False when the question does not fit there. */
  answer(json: JsonLines, kernel: Kernels): boolean {
    const { count, tail } = json;
    const { answers } = kernel;
    if (tail?.has(this.first)) {
      answers.fill(Number(this.test(tail.fields)), 0, count);
      return true;
    }
    if (this.texts.length > kernel.maxEditTexts) return false;
    this.load(kernel);
    const { call } = kernel;
    const base = json.bytes.byteOffset;
    const ask = (first: number, last: number) => call.askLines(base, first, last);
    const unsure = askAll(json, kernel, ask, this.test);
    if (unsure > 0) this.makeSure(count, kernel);
    return true;
  }

  private load(kernel: Kernels): void {
    const { asked, texts, names, expectedAt } = this;
    const program = this.program !== undefined && kernel.fits(this.program)
      ? this.program
      : undefined;
    if (program !== undefined && !kernel.hasLoaded(program)) kernel.loadProgram(program);
    kernel.bytes.set(texts, kernel.editTexts);
    kernel.call.askThat(
      KINDS[asked.kind],
      names,
      expectedAt,
      texts.length - expectedAt,
      program !== undefined,
      program?.slots ?? 0,
      program?.isAnchored ?? false,
      program?.onlyAscii ?? false,
      asked.kind === "matches" && asked.booleans,
    );
  }

  /** Matches the values that the kernel left over. */
  private makeSure(count: number, { answers, values, bytes }: Kernels): void {
    if (this.asked.kind !== "matches") return;
    const { pattern } = this.asked;
    for (let i = 0; i < count; i++) {
      if (answers[i] !== UNSURE) continue;
      const text = bytes.toString("utf8", values[i * 2], values[i * 2 + 1]);
      answers[i] = Number(pattern.test(textOf(text)));
    }
  }
}

/** Of a JSON string, or of a word. */
function textOf(json: string): string {
  if (!json.startsWith('"')) return json;
  return json.includes(BACKSLASH) ? JSON.parse(json) as string : json.slice(1, -1);
}
