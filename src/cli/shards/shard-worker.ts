import type { Claims } from "../../engine/claims.ts";
import type {
  FromShard,
  OutputReport,
  ShardReport,
  ShardRequest,
  ShardStart,
  ToShard,
} from "./messages.ts";

export interface ShardWorkerOptions {
  readonly start: ShardStart;
  /** Does what the worker asks for. */
  readonly answer: (request: ShardRequest) => Promise<unknown>;
  /** What needs no answer. */
  readonly onMessage: (message: FromShard, worker: ShardWorker) => void;
  /** It is gone without having come to its end. */
  readonly onFailed: (reason: string, worker: ShardWorker) => void;
}

/** In the executable the worker's entry lies beside the main module, else in the tree. */
const ENTRY = import.meta.url.includes("/$bunfs/")
  ? new URL("./shard.js", import.meta.url)
  : new URL("../../shard.ts", import.meta.url);

/** The main thread's side of one worker of `service.workers`, from its start to its end. */
export class ShardWorker {
  readonly index: number;
  /** Resolves when its queues are open, with how far streams are safe in them; with nothing when it was refused. */
  readonly claims: Promise<Claims>;
  /** Resolves when its pipeline is open, with what is wrong with it. */
  readonly opened: Promise<readonly string[]>;
  /** Resolves when its inputs that end on their own have ended; it may have none. */
  readonly inputsEnded: Promise<void>;
  /** Resolves when it has come to its end, however. */
  readonly ended: Promise<void>;
  report: ShardReport = { families: [], outputs: [] };
  private readonly options: ShardWorkerOptions;
  private readonly worker: Worker;
  private readonly claiming = Promise.withResolvers<Claims>();
  private readonly opening = Promise.withResolvers<readonly string[]>();
  private readonly inputs = Promise.withResolvers<void>();
  private readonly ending = Promise.withResolvers<void>();
  private readonly looks = new Map<number, () => void>();
  private lastLook = 0;
  private isEnded = false;

  constructor(options: ShardWorkerOptions) {
    this.options = options;
    this.index = options.start.index;
    this.claims = this.claiming.promise;
    this.opened = this.opening.promise;
    void this.opened.then(() => this.claiming.resolve(new Map()));
    this.inputsEnded = this.inputs.promise;
    this.ended = this.ending.promise;
    const worker = this.worker = new Worker(ENTRY.href, {
      smol: true,
      // As it is by now: what the service manager said to this process is not in it any more.
      env: process.env as Record<string, string>,
    });
    worker.onmessage = ({ data }: MessageEvent<FromShard>) => this.receive(data);
    worker.onerror = (event) => {
      event.preventDefault();
      this.fail(event.message);
    };
    worker.addEventListener("close", (event) => {
      this.fail(`it ended with status ${(event as unknown as { code: number }).code}`);
    });
    this.post({ type: "start", start: options.start });
  }

  get outputs(): readonly OutputReport[] {
    return this.report.outputs;
  }

  post(message: ToShard): void {
    if (!this.isEnded) this.worker.postMessage(message);
  }

  /** Has it report anew. Resolves when it has, or is at its end. */
  look(): Promise<void> {
    if (this.isEnded) return Promise.resolve();
    const { promise, resolve } = Promise.withResolvers<void>();
    const look = ++this.lastLook;
    this.looks.set(look, resolve);
    this.post({ type: "look", look });
    return promise;
  }

  get isOver(): boolean {
    return this.isEnded;
  }

  /** Ends it as it is. */
  end(): void {
    if (this.isEnded) return;
    this.isEnded = true;
    this.worker.terminate();
    this.opening.resolve([]);
    this.inputs.resolve();
    this.ending.resolve();
    for (const resolve of this.looks.values()) resolve();
  }

  private receive(message: FromShard): void {
    if (this.isEnded) return;
    switch (message.type) {
      case "claims":
        return this.claiming.resolve(message.claims);
      case "ready":
        return this.opening.resolve([]);
      case "refused":
        return this.opening.resolve(message.problems);
      case "inputs-ended":
        return this.inputs.resolve();
      case "report":
        this.report = message.report;
        this.looks.get(message.look)?.();
        this.looks.delete(message.look);
        return;
      case "failed":
        return this.fail(message.reason);
      case "call":
        return void this.answer(message.call, message.request);
      case "ended":
        this.report = message.report;
        this.options.onMessage(message, this);
        return this.end();
      default:
        return this.options.onMessage(message, this);
    }
  }

  private async answer(call: number, request: ShardRequest): Promise<void> {
    try {
      this.post({ type: "answer", call, result: await this.options.answer(request) });
    } catch (error) {
      this.post({ type: "answer", call, error: (error as Error)?.message ?? String(error) });
    }
  }

  private fail(reason: string): void {
    if (this.isEnded) return;
    const text = reason.replace(/\s+/g, " ").trim().slice(0, 500);
    this.opening.resolve([`Worker ${this.index} failed: ${text}`]);
    this.options.onFailed(text, this);
    this.end();
  }
}
