import { resolve } from "node:path";
import { ownCommand } from "./own-command.ts";
import { OutputLines } from "./output-lines.ts";
import {
  ANSWER,
  ASK_HEAD_BYTES,
  HEAD_BYTES,
  type Hello,
  MAX_FRAME_BYTES,
  SHARED,
} from "./protocol.ts";
import { SharedMemory } from "./shared-memory.ts";

export interface Answer {
  readonly kind: number;
  readonly body: Buffer;
}

/** The plugin's process ended, or was ended, while something was asked of it. */
export class ProcessEnded extends Error {
  override readonly name = "ProcessEnded";
}

interface Pending {
  resolve(answer: Answer): void;
  reject(error: Error): void;
}

/** One process with one plugin in it. Asks are for one caller at a time. */
export class GoProcess {
  /** What the plugin registered as; rejects when it cannot be used. */
  readonly hello: Promise<Hello>;
  /** Resolves when the process is gone. */
  readonly ended: Promise<void>;
  readonly lines: OutputLines = new OutputLines();
  private readonly process: Bun.Subprocess<"pipe", "pipe", "pipe">;
  private readonly shared: SharedMemory | undefined = SharedMemory.create();
  private pending: Pending | undefined;
  private endReason: string | undefined;

  constructor(path: string) {
    const command = [...ownCommand(), "internal-go-host", resolve(path), String(process.pid)];
    this.process = Bun.spawn(command, {
      // As it is by now: by default it would be that of the start, with what is this process's alone.
      env: process.env,
      stdio: ["pipe", "pipe", "pipe", this.shared?.fd ?? null],
    });
    this.hello = this.next().then((answer) => helloOf(answer));
    // Whoever started it looks at this later, or has ended it meanwhile.
    this.hello.catch(() => undefined);
    this.ended = this.follow();
  }

  get pid(): number {
    return this.process.pid;
  }

  /** The message with what the plugin printed last. */
  withWords(message: string): string {
    const words = this.lines.lastWords;
    return words === "" ? message : `${message}; the plugin says: ${words}`;
  }

  /** Nothing can be asked any more. */
  get isOver(): boolean {
    return this.endReason !== undefined;
  }

  /** Asks, and waits for the answer without limit. Rejects with {@link ProcessEnded}. */
  async ask(kind: number, instance: number, body: readonly Uint8Array[]): Promise<Answer> {
    if (this.endReason !== undefined) throw new ProcessEnded(this.endReason);
    const answer = this.next();
    try {
      this.write(kind, instance, body);
    } catch {
      // The process is gone; its end is what the answer rejects with.
    }
    return await answer;
  }

  /** Lets the process end by itself, as soon as it is done with what it is at. */
  release(): void {
    try {
      quietly(this.process.stdin.end());
    } catch {
      // It has ended already.
    }
  }

  /** Ends the process at once. What is asked rejects with this reason. */
  kill(reason: string): void {
    this.endReason ??= reason;
    this.process.kill("SIGKILL");
    this.fail();
  }

  private write(kind: number, instance: number, body: readonly Uint8Array[]): void {
    const size = body.reduce((sum, { length }) => sum + length, 0);
    const isShared = this.shared?.put(body, size) === true;
    const frame = Buffer.alloc(ASK_HEAD_BYTES + (isShared ? 4 : 0));
    frame.writeUInt32LE((isShared ? 4 : size) + ASK_HEAD_BYTES - 4, 0);
    frame[4] = isShared ? kind | SHARED : kind;
    frame.writeUInt32LE(instance, 5);
    if (isShared) frame.writeUInt32LE(size, ASK_HEAD_BYTES);
    const { stdin } = this.process;
    // What cannot be written any more shows as the end of the process.
    for (const part of isShared ? [frame] : [frame, ...body]) quietly(stdin.write(part));
    quietly(stdin.flush());
  }

  private next(): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.pending = { resolve, reject };
    });
  }

  private async follow(): Promise<void> {
    const said = this.lines.read(this.process.stderr);
    const answers = new AnswerReader((answer) => {
      const { pending } = this;
      this.pending = undefined;
      pending?.resolve(answer);
    });
    try {
      for await (const chunk of this.process.stdout) answers.push(chunk);
    } catch (error) {
      this.kill((error as Error).message);
    }
    await this.process.exited;
    // A program that the plugin started may keep the pipe of the log open.
    await Promise.race([said, Bun.sleep(LAST_WORDS_MS)]);
    this.endReason ??= this.describeEnd();
    this.shared?.close();
    this.fail();
  }

  private fail(): void {
    const { pending, endReason } = this;
    this.pending = undefined;
    pending?.reject(new ProcessEnded(endReason ?? "its process ended"));
  }

  private describeEnd(): string {
    const { exitCode, signalCode } = this.process;
    const how = signalCode === null ? `with status ${exitCode}` : `by ${signalCode}`;
    return this.withWords(`its process ended ${how}`);
  }
}

const LAST_WORDS_MS = 200;

function quietly(work: unknown): void {
  Promise.resolve(work).catch(() => undefined);
}

function helloOf({ kind, body }: Answer): Hello {
  if (kind === ANSWER.hello) return JSON.parse(body.toString()) as Hello;
  throw new Error(body.toString());
}

/** Puts frames together. */
class AnswerReader {
  private readonly onAnswer: (answer: Answer) => void;
  private readonly parts: Buffer[] = [];
  private size = 0;

  constructor(onAnswer: (answer: Answer) => void) {
    this.onAnswer = onAnswer;
  }

  push(chunk: Uint8Array): void {
    this.parts.push(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length));
    this.size += chunk.length;
    for (;;) {
      const total = this.frameSize();
      if (total === undefined || this.size < total) return;
      const whole = this.parts.length === 1 ? this.parts[0]! : Buffer.concat(this.parts);
      this.parts.length = 0;
      this.size = whole.length - total;
      if (this.size > 0) this.parts.push(whole.subarray(total));
      this.onAnswer({ kind: whole[4]!, body: whole.subarray(HEAD_BYTES, total) });
    }
  }

  /** With its head. */
  private frameSize(): number | undefined {
    if (this.size < HEAD_BYTES) return undefined;
    if (this.parts[0]!.length < HEAD_BYTES) {
      this.parts.splice(0, Infinity, Buffer.concat(this.parts));
    }
    const size = this.parts[0]!.readUInt32LE(0);
    if (size < 1 || size > MAX_FRAME_BYTES) throw new Error(`it answered with ${size} bytes`);
    return size + HEAD_BYTES - 1;
  }
}
