import type { BatchMessage } from "./batch-message.ts";

/** One batch on its way through an isolated filter. */
export interface Passage {
  readonly message: BatchMessage;
  /** How often it ended the worker. */
  failures: number;
}

interface State extends Passage {
  /** Lets the engine ack the batch, once. */
  readonly release: () => void;
  /** What the plugin's `hold()` returned and was not called, by number. */
  readonly holds: Set<number>;
  /** Emitted batches that have to be safe first. */
  shares: number;
  call: number;
  isProcessed: boolean;
  isReplayed: boolean;
  /** Records that the plugin returned, and emitted without an ack, while it processed the batch. */
  results: number;
  /** Emitted while it is processed once more. */
  again: BatchMessage[];
}

/**
 * The batches that an isolated filter has in hand. Those that it holds back are kept here too, so that they can
 * be given to the next worker when the one that has them is lost.
 */
export class HeldBatches {
  private readonly byCall = new Map<number, State>();
  private readonly byHold = new Map<number, State>();
  private readonly held = new Set<State>();
  private idleLosses = 0;

  passage(message: BatchMessage, release: () => void): Passage {
    const state: State = {
      message,
      release,
      failures: 0,
      holds: new Set(),
      shares: 0,
      call: 0,
      isProcessed: false,
      isReplayed: false,
      results: 0,
      again: [],
    };
    return state;
  }

  /** The batch was given to a worker, in this call. */
  posted(passage: Passage, call: number): void {
    const state = passage as State;
    state.call = call;
    state.holds.clear();
    state.again = [];
    state.isReplayed = state.isProcessed;
    if (!state.isProcessed) state.results = 0;
    this.byCall.set(call, state);
  }

  hold(hold: number, call: number): void {
    const state = this.byCall.get(call);
    if (state === undefined) return;
    state.holds.add(hold);
    this.byHold.set(hold, state);
  }

  release(hold: number): void {
    const state = this.byHold.get(hold);
    this.byHold.delete(hold);
    if (!state?.holds.delete(hold)) return;
    this.idleLosses = 0;
    this.settle(state);
  }

  /** Counts a batch that was emitted without an ack. False when that happened before, in a lost worker. */
  mayEmit(call: number, batch: BatchMessage): boolean {
    const state = this.byCall.get(call);
    if (state === undefined) return true;
    if (state.isReplayed) state.again.push(batch);
    else state.results += batch.count;
    return !state.isReplayed;
  }

  /** The plugin has returned so many records. */
  processed(passage: Passage, records: number): void {
    const state = passage as State;
    this.byCall.delete(state.call);
    state.results += records;
    state.isProcessed = true;
    this.held.add(state);
    this.settle(state);
  }

  /**
   * The plugin was given the batch once more, and returned so many records. What came out of it is passed on
   * only if it is not the same as the first time: that is on its way already.
   */
  replayed(passage: Passage, records: number): { passOn: boolean; emits: readonly BatchMessage[] } {
    const state = passage as State;
    this.byCall.delete(state.call);
    state.isReplayed = false;
    const { again: emits, holds } = state;
    const results = emits.reduce((sum, { count }) => sum + count, records);
    const passOn = results !== state.results || holds.size === 0;
    state.results = results;
    return { passOn, emits };
  }

  /** The batch must not be acked before this function is called. */
  share(passage: Passage): () => void {
    const state = passage as State;
    state.shares++;
    let isShared = true;
    return () => {
      if (isShared) state.shares--;
      isShared = false;
      this.settle(state);
    };
  }

  /** Lets the batch be acked if nothing holds it. */
  settle(passage: Passage): void {
    const state = passage as State;
    if (!state.isProcessed || state.isReplayed || state.holds.size > 0 || state.shares > 0) return;
    if (this.held.delete(state)) state.release();
  }

  /** Forgets what the plugin held of the batch. */
  drop(passage: Passage): void {
    const state = passage as State;
    state.holds.clear();
    state.isReplayed = false;
    this.settle(state);
  }

  /**
   * The worker was lost. Returns what is to be given up, because workers were lost again and again while they
   * did nothing but hold it.
   */
  lost(wasIdle: boolean, maxLosses: number): readonly Passage[] {
    this.byCall.clear();
    this.byHold.clear();
    if (wasIdle && this.held.size > 0) this.idleLosses++;
    if (this.idleLosses < maxLosses) return [];
    this.idleLosses = 0;
    return [...this.held];
  }

  /** What the next worker has to be given, in order. */
  toReplay(): readonly Passage[] {
    return [...this.held].filter(({ holds }) => holds.size > 0);
  }
}
