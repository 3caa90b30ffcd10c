import type { Clock, Payload } from "logcollector/plugin";
import { fstatSync } from "node:fs";
import { type FileHandle, stat } from "node:fs/promises";
import { openForAppend, type OpenOptions } from "./open-file.ts";
import type { Rotation } from "./rotation.ts";

export interface AppenderOptions extends OpenOptions {
  readonly clock: Clock;
  readonly rotation: Rotation | undefined;
}

/** How often to look whether the file still is where it was, in milliseconds. */
const CHECK_MS = 1000;

/** What is left of a payload whose beginning is in the file already and could not be taken back. */
interface Rest {
  readonly bytes: Uint8Array;
  readonly written: number;
}

/** Appends payloads to one file, one after the other. Follows it when somebody moves it or takes it away. */
export class Appender {
  readonly path: string;
  lastUsedMs = 0;
  private readonly options: AppenderOptions;
  private readonly rests = new WeakMap<Payload, Rest>();
  private file: FileHandle | undefined;
  private checkedMs = 0;
  private busy: Promise<unknown> = Promise.resolve();
  private waiting = 0;

  constructor(path: string, options: AppenderOptions) {
    this.path = path;
    this.options = options;
  }

  get isIdle(): boolean {
    return this.waiting === 0;
  }

  append(payload: Payload, finish: (payload: Payload, empty: boolean) => Uint8Array) {
    return this.inTurn(() => this.write(payload, finish));
  }

  close(): Promise<void> {
    return this.inTurn(() => this.closeFile());
  }

  private inTurn(work: () => Promise<void>): Promise<void> {
    this.waiting++;
    const turn = this.busy.then(work).finally(() => this.waiting--);
    this.busy = turn.catch(() => undefined);
    return turn;
  }

  private async write(
    payload: Payload,
    finish: (payload: Payload, empty: boolean) => Uint8Array,
  ): Promise<void> {
    this.lastUsedMs = this.options.clock.nowMs();
    const file = await this.ready();
    // A question to the descriptor alone: faster than the way to another thread and back.
    const before = fstatSync(file.fd);
    const rest = this.rests.get(payload);
    const bytes = rest?.bytes ?? finish(payload, before.size === 0);
    let written = rest?.written ?? 0;
    const start = before.size - written;
    try {
      while (written < bytes.length) {
        written += (await file.write(bytes, written, bytes.length - written)).bytesWritten;
      }
      this.rests.delete(payload);
    } catch (error) {
      await this.takeBack(file, payload, { bytes, written }, start);
      throw error;
    }
  }

  /** A payload is sent again from its start, so what was written of it must go, or be remembered. */
  private async takeBack(
    file: FileHandle,
    payload: Payload,
    rest: Rest,
    start: number,
  ): Promise<void> {
    try {
      const { size } = await file.stat();
      if (start < 0 || size !== start + rest.written) throw new Error("somebody else writes too");
      if (rest.written > 0) await file.truncate(start);
      this.rests.delete(payload);
    } catch {
      this.rests.set(payload, rest);
    }
    // A handle that failed may fail for ever, as one of a stale network file system does.
    await this.closeFile();
  }

  private async ready(): Promise<FileHandle> {
    const { rotation } = this.options;
    if (this.file !== undefined && !(await this.isStillThere(this.file))) await this.closeFile();
    this.file ??= await openForAppend(this.path, this.options);
    if (rotation === undefined || fstatSync(this.file.fd).size < rotation.maxBytes) {
      return this.file;
    }
    if (await rotation.rotate(this.path)) {
      await this.closeFile();
      this.file = await openForAppend(this.path, this.options);
    }
    return this.file;
  }

  private async isStillThere(file: FileHandle): Promise<boolean> {
    const now = this.options.clock.nowMs();
    if (now - this.checkedMs < CHECK_MS) return true;
    this.checkedMs = now;
    const there = await stat(this.path).catch(() => undefined);
    const open = await file.stat();
    return there !== undefined && there.ino === open.ino && there.dev === open.dev;
  }

  private async closeFile(): Promise<void> {
    const { file } = this;
    this.file = undefined;
    await file?.close().catch(() => undefined);
  }
}
