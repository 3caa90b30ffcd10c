import { DiskQueue } from "../../../src/buffer/disk/disk-queue.ts";
import { openQueue } from "../../../src/buffer/disk/open-queue.ts";
import type { FullPolicy, QueueDrop } from "../../../src/buffer/payload-queue.ts";
import type { QueuedPayload } from "../../../src/buffer/queued-payload.ts";
import { Book } from "../../../src/engine/books.ts";
import { EmissionOrder } from "../../../src/engine/emission-order.ts";
import { StreamAcks } from "../../../src/engine/stream-acks.ts";
import type { Ticket } from "../../../src/engine/ticket.ts";
import { ManualClock } from "../../support/context.ts";
import type { Random } from "../../support/random.ts";
import { Crashed, FragileFiles } from "./fragile-files.ts";

export const FOLDER = "/state/queues/out";

interface Source {
  readonly name: string;
  /** Records are numbered from 0: this is the next. */
  next: number;
}

interface OpenPayload {
  records: { readonly source: string; readonly n: number }[];
  holders: Ticket[];
}

export interface ModelOptions {
  readonly random: Random;
  readonly limitBytes?: number;
  readonly policy?: FullPolicy;
  readonly segmentBytes?: number;
}

/**
 * Two files that are read, a queue, and a destination that counts, over crashes. The queue and what moves positions
 * are the real ones.
 */
export class QueueModel {
  files = new FragileFiles();
  clock = new ManualClock();
  readonly options: ModelOptions;
  /** What the destination got, in order. */
  readonly delivered: string[] = [];
  readonly drops: QueueDrop[] = [];
  readonly logged: string[] = [];
  readonly actions: string[] = [];
  queue!: DiskQueue;
  /** Where reading goes on after a crash. */
  private saved = new Map<string, { position: string; order: number }>();
  private moved = new Map<string, { position: string; order: number }>();
  private order = new EmissionOrder({ sec: 1, nsec: 0 });
  private acks!: StreamAcks;
  private sources!: Source[];
  private open!: OpenPayload;
  private taken: QueuedPayload[] = [];
  /** What the destination has of payloads that were taken, and that the queue is not done with. */
  private deliveredInPart: string[] = [];
  private deferred: (() => void)[] = [];
  /** The records of payloads that were on their way at a crash: they may arrive twice. */
  readonly inFlight = new Set<string>();

  constructor(options: ModelOptions) {
    this.options = options;
  }

  async start(): Promise<void> {
    // A clock of its own: what the process before still had in mind does not happen any more.
    this.clock = new ManualClock();
    const { random, limitBytes = Infinity, policy = "block", segmentBytes = 1000 } = this.options;
    const identity = { output: "out", plugin: "test", format: "" };
    const id = () => Array.from({ length: 32 }, () => random.below(16).toString(16)).join("");
    const opened = await openQueue({
      files: this.files,
      folder: FOLDER,
      identity,
      newId: id,
      uid: 1000,
    });
    this.queue = new DiskQueue({
      files: this.files,
      opened,
      clock: this.clock,
      log: this.log,
      limitBytes,
      policy,
      segmentBytes,
      syncMs: 1000,
      maxInMemory: 3,
      defer: (call) => this.deferred.push(call),
      onDone: () => undefined,
      onDiskError: () => undefined,
      onReady: () => undefined,
      onSpace: () => undefined,
      onDrop: (drop) => this.drops.push(drop),
    });
    const claims = new Map<string, { position: string; order: number }>();
    for (const { stream, position, order } of this.queue.claims) {
      this.order.seen(order);
      claims.set(stream, { position, order });
    }
    this.sources = ["a", "b"].map((name) => {
      const [claim, saved] = [claims.get(name), this.saved.get(name)];
      const newest = (claim?.order ?? -1) > (saved?.order ?? -1) ? claim : saved;
      if (newest !== undefined) this.moved.set(name, newest);
      return { name, next: Number(newest?.position ?? 0) };
    });
    this.saved = new Map(this.moved);
    this.acks = new StreamAcks({
      book: new Book("input", "in"),
      order: this.order,
      onProgress: () => undefined,
      onMoved: (stream, position, order) =>
        void this.moved.set(stream, { position: position(), order }),
      onAckError: (error) => {
        throw error;
      },
    });
    this.open = { records: [], holders: [] };
  }

  /** Reads so many records of a file, into a payload of their own. */
  read(name: string, count: number): void {
    this.emitFrom(this.sources.find((source) => source.name === name)!, count);
    this.finish();
    this.turn();
  }

  /** Reads a few records of a file; a payload may have several batches. */
  emit(): void {
    const { random } = this.options;
    const source = this.sources[random.below(2)]!;
    const count = 1 + random.below(5);
    const position = String(source.next + count);
    const ticket = this.acks.open(source.name, 10, { position: () => position });
    for (let i = 0; i < count; i++) {
      this.open.records.push({ source: source.name, n: source.next++ });
      if (this.open.holders.at(-1) !== ticket) {
        ticket.hold();
        this.open.holders.push(ticket);
      }
    }
    // A payload ends where a batch ends.
    if (this.open.records.length >= 6) this.finish();
    ticket.release();
  }

  finish(): void {
    const { records, holders } = this.open;
    if (records.length === 0) return;
    this.open = { records: [], holders: [] };
    const bytes = Buffer.from(`${records.map(({ source, n }) => `${source}${n}`).join(" ")} `);
    this.queue.push({
      partition: "",
      bytes,
      records: records.length,
      attempt: 1,
      holders,
      sources: new Map([["in", records.length]]),
      isRecovered: false,
      queuedBytes: bytes.length,
      queuedRecords: records.length,
      recycle: () => undefined,
    });
  }

  /** What waited for the end of the batch is done. */
  turn(): void {
    for (const call of this.deferred.splice(0)) call();
  }

  take(): void {
    if (this.taken.length > 1) return;
    const payload = this.queue.take();
    if (payload !== undefined) this.taken.push(payload);
  }

  /** The destination takes the payload, and the queue hears of it unless the process ends in between. */
  deliver(): void {
    if (this.taken.length === 0) this.take();
    const payload = this.taken.shift();
    if (payload === undefined) return;
    const texts = textsOf(payload);
    this.delivered.push(...texts);
    this.queue.done(payload);
    if (this.files.isCrashed) { for (const text of texts) this.inFlight.add(text); }
    else this.deliveredInPart = [];
  }

  /** The destination takes the first half of a payload's records, and the rest stays to be delivered. */
  deliverInPart(): void {
    if (this.taken.length === 0) this.take();
    const payload = this.taken[0];
    if (payload === undefined || payload.records < 2) return;
    const texts = textsOf(payload);
    const part = texts.splice(0, texts.length >> 1);
    this.delivered.push(...part);
    this.deliveredInPart.push(...part);
    payload.bytes = Buffer.from(`${texts.join(" ")} `);
    payload.records = texts.length;
    const before = this.queue.records;
    this.queue.partlyDone(payload, part.length);
    if (this.queue.records !== before - part.length) throw new Error("the queue counts wrongly");
  }

  async time(ms: number): Promise<void> {
    this.clock.advance(ms);
    await this.settle();
  }

  /** Positions are written down, and what is delivered is taken away. */
  async commit(): Promise<void> {
    const retired = this.queue.retired();
    this.saved = new Map(this.moved);
    await this.queue.remove(retired);
  }

  async settle(): Promise<void> {
    for (let i = 0; i < 200; i++) await Promise.resolve();
  }

  kill(): void {
    this.forget();
    this.files = this.files.killed();
  }

  losePower(): void {
    this.forget();
    this.files = this.files.powerLost(this.options.random);
  }

  /** Everything is read up to a number, delivered, and positions are written down. */
  async finishAll(upTo: number): Promise<void> {
    for (const source of this.sources) {
      while (source.next < upTo) {
        this.emitFrom(source, Math.min(5, upTo - source.next));
        this.finish();
        this.turn();
      }
    }
    await this.drain();
  }

  async drain(): Promise<void> {
    this.finish();
    for (let i = 0; i < 10_000; i++) {
      this.turn();
      await this.time(600);
      while (this.taken.length > 0 || !this.queue.isIdle) {
        const before = this.delivered.length;
        this.deliver();
        if (this.delivered.length === before) break;
      }
      if (this.queue.isIdle && this.taken.length === 0) return;
    }
    throw new Error("the queue is never empty");
  }

  /** Where a file would be read on after a crash, if no queue knew more. */
  savedPosition(name: string): number {
    return Number(this.saved.get(name)?.position ?? 0);
  }

  get messages(): string {
    return this.logged.join("\n");
  }

  /** How far the files were read. */
  get positions(): number[] {
    return this.sources.map(({ next }) => next);
  }

  private emitFrom(source: Source, count: number): void {
    const position = String(source.next + count);
    const ticket = this.acks.open(source.name, 10, { position: () => position });
    ticket.hold();
    this.open.holders.push(ticket);
    for (let i = 0; i < count; i++) {
      this.open.records.push({ source: source.name, n: source.next++ });
    }
    ticket.release();
  }

  private forget(): void {
    for (const payload of this.taken) for (const text of textsOf(payload)) this.inFlight.add(text);
    for (const text of this.deliveredInPart) this.inFlight.add(text);
    this.taken = [];
    this.deliveredInPart = [];
    this.deferred = [];
    this.moved = new Map(this.saved);
  }

  private readonly log = {
    error: (message: string) => void this.logged.push(message),
    warn: (message: string) => void this.logged.push(message),
    info: (message: string) => void this.logged.push(message),
    debug: (message: string) => void this.logged.push(message),
  };
}

function textsOf({ bytes }: Pick<QueuedPayload, "bytes">): string[] {
  return Buffer.from(bytes).toString().trim().split(" ");
}

/** Runs an action that a crash may cut off. */
export async function untilCrash(action: () => void | Promise<void>): Promise<boolean> {
  try {
    await action();
    return true;
  } catch (error) {
    if (error instanceof Crashed) return false;
    throw error;
  }
}

/** What is wrong with what arrived: nothing, when every record is there, in order, and doubled only where it may be. */
export function problemsOf(
  { delivered, inFlight }: Pick<QueueModel, "delivered" | "inFlight">,
  upTo: readonly number[],
  mayRepeat: (text: string) => boolean = (text) => inFlight.has(text),
): string[] {
  const problems: string[] = [];
  const seen = new Set<string>();
  const last = new Map<string, number>();
  for (const text of delivered) {
    if (seen.has(text)) {
      if (!mayRepeat(text)) problems.push(`${text} came twice`);
      continue;
    }
    seen.add(text);
    const [source, n] = [text[0]!, Number(text.slice(1))];
    if (n !== (last.get(source) ?? -1) + 1) {
      problems.push(`${text} came after ${source}${last.get(source)}`);
    }
    last.set(source, n);
  }
  ["a", "b"].forEach((source, i) => {
    for (let n = 0; n < upTo[i]!; n++) {
      if (!seen.has(`${source}${n}`)) problems.push(`${source}${n} is lost`);
    }
  });
  return problems.slice(0, 5);
}
