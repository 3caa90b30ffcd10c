import module from "../../dist/embedded/kernels.txt" with { type: "text" };
import type { LineProgram } from "./line-program.ts";

/** A number that the module may change. */
interface Variable {
  readonly value: number;
}

/** What src/kernels/index.ts exports. Positions are bytes of its memory. */
interface Exports {
  readonly memory: WebAssembly.Memory;
  countLines(from: number, to: number, longest: number): number;
  quoteLines(from: number, to: number, between: number, length: number, at: number): number;
  useTexts(dateName: number, separator: number, tail: number): void;
  copyLines(bytes: number, first: number, last: number, at: number): number;
  wantMember(name: number, length: number): void;
  scanLines(
    from: number,
    to: number,
    noted: number,
    keepsTime: boolean,
    sec: number,
    nsec: number,
  ): number;
  noteTimed(keepsTime: boolean, sec: number, nsec: number): void;
  noteElsewhere(sec: number, nsec: number): void;
  forgetTime(): void;
  learnTime(text: number, length: number, head: number, tail: number, sec: number): void;
  useRegex(
    slots: number,
    isAnchored: boolean,
    onlyAscii: boolean,
    fields: number,
    namesBytes: number,
    timeSlot: number,
    keepsTime: boolean,
  ): void;
  startRegex(from: number): void;
  readRegex(to: number, sec: number, nsec: number): number;
  tellRegexTime(sec: number, nsec: number): void;
  skipLine(next: number): void;
  readonly regexTo: Variable;
  readonly regexTimeFrom: Variable;
  readonly regexTimeTo: Variable;
  startCri(from: number): void;
  readCri(to: number): number;
  tellTime(sec: number, nsec: number): void;
  askThat(
    question: number,
    names: number,
    equalAt: number,
    equalLength: number,
    hasProgram: boolean,
    slots: number,
    isAnchored: boolean,
    onlyAscii: boolean,
    takesWords: boolean,
  ): void;
  askForMembers(bytes: number, first: number, last: number): number;
  askLines(bytes: number, first: number, last: number): number;
  keepLines(count: number): number;
  startEdit(into: number, end: number, tail: number): boolean;
  editLines(bytes: number, first: number, last: number, areAsked: boolean): number;
  noteEditedElsewhere(i: number): void;
  readonly editedTo: Variable;
  wrapLines(from: number, to: number, head: number, sec: number, nsec: number): number;
  packLines(
    bytes: number,
    first: number,
    last: number,
    at: number,
    hasMetadata: boolean,
    tailLength: number,
    tailCount: number,
  ): number;
  readonly eventsTo: Variable;
  packRaw(from: number, to: number, head: number, at: number): number;
  readonly criTimeFrom: Variable;
  readonly criTimeTo: Variable;
  readonly madeTo: Variable;
  readonly firstStream: Variable;
  readonly hasBoth: Variable;
  readonly openErr: Variable;
  readonly openOut: Variable;
  readonly count: Variable;
  readonly lineFrom: Variable;
  readonly timeFrom: Variable;
  readonly timeTo: Variable;
}

const NONE = new Uint8Array(0);

/** Parts of unfinished records of each stream, and numbers in a part. */
export const MAX_PARTS = 1024;
export const PART_WORDS = 4;

/**
 * The inner loops of the hot path, in WebAssembly, with their memory. There is one of them: what it holds is valid until
 * somebody else uses it, like the memory that a batch was read into.
 */
export class Kernels {
  readonly call: Exports;
  readonly bytes: Buffer;
  /** Where a block is put, and how long it may be. */
  readonly block: number;
  readonly maxBlock: number;
  /** Where an encoder puts small texts, and where a reader does, and how long they may be together. */
  readonly texts: number;
  readonly names: number;
  readonly maxTexts: number;
  /** Where JSON is put that was made of the block, and where what goes to an output, and how long that may be. */
  readonly made: number;
  readonly maxMade: number;
  readonly out: number;
  readonly maxOut: number;
  /** Of each noted record: four positions as `JsonLines.spans` has them, and its time. */
  readonly spans: Int32Array;
  readonly sec: Float64Array;
  readonly nsec: Int32Array;
  /** Of each stream, first stderr: the lines of records that are not finished, as src/kernels/cri.ts has them. */
  readonly parts: Uint32Array;
  /** Where JSON is put that a filter made, and where that of the next one, and how long each may be. */
  readonly edited: number;
  readonly editedToo: number;
  readonly maxEdited: number;
  /** Where is put what is to be done to records, its texts, and how long these may be. */
  readonly edits: number;
  readonly editTexts: number;
  readonly maxEdits: number;
  readonly maxEditTexts: number;
  /** The answer of each record to a question, and where the value is that it is about: from, to. */
  readonly answers: Uint8Array;
  readonly values: Uint32Array;
  private readonly program: number;
  private readonly sets: number;
  private readonly fields: number;
  private readonly fieldsEnd: number;
  private lastBlock: Uint8Array | undefined;
  private owner: object | undefined;
  private loaded: LineProgram | undefined;

  constructor() {
    const compiled = new WebAssembly.Module(Buffer.from(module, "base64"));
    const call = new WebAssembly.Instance(compiled).exports as unknown as Exports;
    const places = call as unknown as Readonly<Record<string, WebAssembly.Global>>;
    const place = (name: string): number => Number(places[name]!.value);
    const { buffer } = call.memory;
    const slack = place("SLACK");
    const lines = place("MAX_LINES");
    this.call = call;
    this.bytes = Buffer.from(buffer);
    this.block = place("BLOCK");
    this.maxBlock = place("MAX_BLOCK");
    this.texts = place("TEXTS");
    this.names = place("NAMES");
    this.made = place("MADE");
    this.out = place("OUT");
    this.maxTexts = this.names - this.texts - slack;
    this.maxMade = this.out - this.made - slack;
    this.maxOut = place("PROGRAM") - this.out - slack;
    this.edited = place("EDITED");
    this.editedToo = place("EDITED_TOO");
    this.maxEdited = this.editedToo - this.edited;
    this.edits = place("EDITS");
    this.editTexts = place("EDIT_TEXTS");
    this.maxEdits = this.editTexts - this.edits;
    this.maxEditTexts = place("ANSWERS") - this.editTexts - slack;
    this.answers = new Uint8Array(buffer, place("ANSWERS"), lines);
    this.values = new Uint32Array(buffer, place("VALUES"), lines * 2);
    this.spans = new Int32Array(buffer, place("SPANS"), lines * 4);
    this.sec = new Float64Array(buffer, place("SECONDS"), lines);
    this.nsec = new Int32Array(buffer, place("NANOS"), lines);
    this.program = place("PROGRAM");
    this.sets = place("SETS");
    this.fields = place("FIELDS");
    this.fieldsEnd = place("STACK") - slack;
    this.parts = new Uint32Array(buffer, place("PARTS"), MAX_PARTS * 2 * PART_WORDS);
  }

  /** Whether these bytes lie in this memory. */
  holds(bytes: { readonly buffer: ArrayBufferLike }): boolean {
    return bytes.buffer === this.bytes.buffer;
  }

  /** Copies a block of at most {@link maxBlock} bytes into the memory. */
  load(block: Uint8Array): void {
    this.lastBlock = undefined;
    this.bytes.set(block, this.block);
  }

  /** The same, for a block that does not change until {@link forgetBlock}: whoever {@link use}s it need not load it again. */
  loadFirst(block: Uint8Array): void {
    this.load(block);
    this.lastBlock = block;
  }

  /** Loads a block unless it still is there. */
  use(block: Uint8Array): void {
    if (block !== this.lastBlock) this.load(block);
  }

  forgetBlock(): void {
    this.lastBlock = undefined;
  }

  /** Whether a compiled expression and its fields have room. */
  fits({ words, sets }: LineProgram, fields: Uint8Array = NONE): boolean {
    const { program, fieldsEnd } = this;
    return words.byteLength <= this.sets - program && sets.length <= this.fields - this.sets &&
      fields.length <= fieldsEnd - this.fields;
  }

  /** Makes an expression the one that is matched with, with the fields that it makes of a line. */
  loadProgram(program: LineProgram, fields: Uint8Array = NONE): void {
    const { words, sets } = program;
    this.loaded = program;
    this.bytes.set(new Uint8Array(words.buffer), this.program);
    this.bytes.set(sets, this.sets);
    this.bytes.set(fields, this.fields);
  }

  /** False when it was not loaded, or another one since. */
  hasLoaded(program: LineProgram): boolean {
    return this.loaded === program;
  }

  /** False when somebody else was here since the last call: what the module was told must be told again. */
  isStill(owner: object): boolean {
    const is = this.owner === owner;
    this.owner = owner;
    return is;
  }
}

let shared: Kernels | undefined;

/** Made when they are first asked for. */
export function kernels(): Kernels {
  return shared ??= new Kernels();
}

/** The hand-over of a batch is over: what it was read into may change. */
export function forgetBlock(): void {
  shared?.forgetBlock();
}
