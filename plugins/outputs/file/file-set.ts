import type { Clock, Payload } from "logcollector/plugin";
import { Appender } from "./appender.ts";
import type { Rotation } from "./rotation.ts";

export interface FileSetOptions {
  readonly clock: Clock;
  readonly mkdir: boolean;
  /** The folder that a path must stay in, or `undefined` when the configuration alone named it. */
  readonly confinedTo: (path: string) => string | undefined;
  readonly rotation: Rotation | undefined;
}

/** Files that are open at once; the one that was not used for longest is closed for another. */
const MAX_OPEN = 128;
/** A file that nobody wrote to for so long is closed, so that a deleted one gives its space back. */
const IDLE_MS = 30_000;

/** The files of one output, opened when something is written to them. */
export class FileSet {
  private readonly options: FileSetOptions;
  /** In the order of their last use. */
  private readonly open = new Map<string, Appender>();
  private readonly closing = new Set<Promise<void>>();
  private cancelSweep: (() => void) | undefined;

  constructor(options: FileSetOptions) {
    this.options = options;
  }

  async append(
    path: string,
    payload: Payload,
    finish: (payload: Payload, empty: boolean) => Uint8Array,
    signal: AbortSignal,
  ): Promise<void> {
    signal.throwIfAborted();
    const file = this.open.get(path) ?? this.make(path);
    this.open.delete(path);
    this.open.set(path, file);
    this.closeOldest();
    this.cancelSweep ??= this.options.clock.after(IDLE_MS, () => this.sweep());
    await file.append(payload, finish);
  }

  async close(): Promise<void> {
    this.cancelSweep?.();
    for (const file of this.open.values()) this.closeOne(file);
    await Promise.all(this.closing);
    await this.options.rotation?.settled();
  }

  private make(path: string): Appender {
    const { clock, mkdir, rotation, confinedTo } = this.options;
    return new Appender(path, { clock, mkdir, rotation, confinedTo: confinedTo(path) });
  }

  private closeOldest(): void {
    if (this.open.size <= MAX_OPEN) return;
    for (const file of this.open.values()) {
      if (file.isIdle) return this.closeOne(file);
    }
  }

  private sweep(): void {
    this.cancelSweep = undefined;
    const { clock } = this.options;
    for (const file of this.open.values()) {
      if (file.isIdle && clock.nowMs() - file.lastUsedMs >= IDLE_MS) this.closeOne(file);
    }
    if (this.open.size > 0) this.cancelSweep = clock.after(IDLE_MS, () => this.sweep());
  }

  private closeOne(file: Appender): void {
    this.open.delete(file.path);
    const closed = file.close();
    this.closing.add(closed);
    closed.finally(() => this.closing.delete(closed));
  }
}
