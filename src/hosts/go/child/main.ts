import { type Pointer, ptr, read, toArrayBuffer } from "bun:ffi";
import {
  ANSWER,
  ASK,
  ASK_HEAD_BYTES,
  HEAD_BYTES,
  MAX_FRAME_BYTES,
  SHARED,
  SHARED_BYTES,
} from "../protocol.ts";
import { compileNative, type Native } from "./native.ts";
import { PluginLibrary } from "./plugin-library.ts";

const KEEP_BYTES = 1024 * 1024;

/**
 * The process of one plugin: answers what the collector asks, one thing after the other, until the pipe
 * closes or the collector, the process `parent`, ends. It has no event loop of its own: it reads, calls the plugin, and writes.
 */
export function runChild(path: string, parent: number): void {
  const { symbols: native } = compileNative();
  const pipes = native.take_over(parent);
  if (pipes < 0) throw new Error("Cannot take over the pipes of the collector");
  new Child(path, native, pipes >>> 16, pipes & 0xffff).serve();
}

class Child {
  private readonly path: string;
  private readonly native: Native;
  private readonly asks: number;
  private readonly answers: number;
  private readonly head = Buffer.alloc(ASK_HEAD_BYTES);
  /** Memory of C for what comes through the pipe: the plugin looks at it, and nothing may move it. */
  private own: Pointer | null = null;
  private room = 0;
  private shared: Pointer | null = null;

  constructor(path: string, native: Native, asks: number, answers: number) {
    this.path = path;
    this.native = native;
    this.asks = asks;
    this.answers = answers;
  }

  serve(): void {
    let library: PluginLibrary;
    try {
      library = new PluginLibrary(this.path, this.native);
    } catch (error) {
      this.answerText(ANSWER.refused, (error as Error).message);
      this.native.leave(1);
      return;
    }
    this.answerText(ANSWER.hello, JSON.stringify(library.hello));
    while (this.native.read_all(this.asks, ptr(this.head), ASK_HEAD_BYTES) === 1) {
      const size = this.head.readUInt32LE(0) - (ASK_HEAD_BYTES - 4);
      if (size < 0 || size > MAX_FRAME_BYTES || !this.readBody(size)) break;
      const kind = this.head[4]!;
      const id = this.head.readUInt32LE(5);
      if (kind & SHARED) this.handle(library, kind ^ SHARED, id, ...this.sharedBody());
      else this.handle(library, kind, id, this.own, size);
      this.shrink();
    }
    library.unregister();
    this.native.leave(0);
  }

  private handle(
    library: PluginLibrary,
    kind: number,
    id: number,
    body: Pointer | null,
    size: number,
  ): void {
    switch (kind) {
      case ASK.init: {
        const options = Buffer.from(toArrayBuffer(body!, 0, size)).toString();
        return this.answerCode(library.init(id, JSON.parse(options)));
      }
      case ASK.flush: {
        const tag = body! + 4 as Pointer;
        const before = 4 + read.u32(body!, 0) + 1;
        return this.answerCode(library.flush(id, tag, body! + before as Pointer, size - before));
      }
      case ASK.collect:
        return library.collect(id, (data, bytes) => this.answer(ANSWER.data, data, bytes));
      case ASK.exit:
        return this.answerCode(library.exit(id));
    }
  }

  private readBody(size: number): boolean {
    if (size > this.room) {
      this.own = this.native.resize(this.own, size) as Pointer | null;
      this.room = size;
      if (this.own === null) return false;
    }
    return size === 0 || this.native.read_all(this.asks, this.own!, size) === 1;
  }

  private sharedBody(): [Pointer, number] {
    this.shared ??= this.native.map_shared(SHARED_BYTES) as Pointer | null;
    if (this.shared === null) throw new Error("Cannot map the memory that the collector shares");
    return [this.shared, read.u32(this.own!, 0)];
  }

  /** One large frame does not keep its memory. */
  private shrink(): void {
    if (this.room <= KEEP_BYTES) return;
    this.own = this.native.resize(this.own, KEEP_BYTES) as Pointer | null;
    this.room = KEEP_BYTES;
  }

  private answerCode(code: number): void {
    const body = Buffer.alloc(4);
    body.writeInt32LE(code);
    this.answer(ANSWER.code, ptr(body), body.length);
  }

  private answerText(kind: number, text: string): void {
    const body = Buffer.from(text);
    this.answer(kind, ptr(body), body.length);
  }

  private answer(kind: number, body: Pointer | null, size: number): void {
    const head = Buffer.alloc(HEAD_BYTES);
    head.writeUInt32LE(size + 1, 0);
    head[4] = kind;
    this.native.write_all(this.answers, ptr(head), head.length);
    if (size > 0) this.native.write_all(this.answers, body!, size);
  }
}
