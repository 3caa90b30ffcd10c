import { backoffMs } from "../../lib/backoff.ts";
import type { Clock } from "../context.ts";
import type { MaybePromise } from "../define.ts";
import type { KubeClient } from "./kube-client.ts";
import { KubeError, kubeError } from "./kube-error.ts";
import { ListItems } from "./list-items.ts";
import { WatchLines } from "./watch-lines.ts";

/** What a list and a watch are of. */
export interface WatchedList {
  /** Such as `/api/v1/pods`. */
  readonly path: string;
  /** Such as `spec.nodeName=node-1`. */
  readonly fieldSelector?: string;
  /** Names of members that nobody wants; see {@link ListItems}. */
  readonly omitted?: readonly string[];
  /** Objects that the server is asked for at once, where it does not answer from its memory. Default 50. */
  readonly pageSize?: number;
  /** Where an earlier watch had come to: goes on from there without a list, as long as the server can. */
  readonly resourceVersion?: string;
  /** How long the server keeps a watch open at most, in milliseconds. Default 10 minutes. */
  readonly watchMs?: number;
}

/** An object as the API server describes it. */
export interface KubeObject {
  readonly metadata?: {
    readonly name?: string;
    readonly namespace?: string;
    readonly uid?: string;
    readonly resourceVersion?: string;
  };
  readonly [field: string]: unknown;
}

/** Who is told what there is, and what changes. While a call waits, so does the server. */
export interface ListWatchHandler {
  /** A complete list begins: at the start, and whenever changes were missed. */
  listStarts(): void;
  listed(object: KubeObject): MaybePromise<void>;
  /** What was not listed is not there. */
  listEnds(resourceVersion: string): MaybePromise<void>;
  changed(
    type: "ADDED" | "MODIFIED" | "DELETED",
    object: KubeObject,
  ): MaybePromise<void>;
  /** All changes up to here are known. */
  reached?(resourceVersion: string): void;
  /** An attempt has failed; the next comes after the pause. */
  failed(error: Error, pauseMs: number): void;
  /** The server answers (again): from now on changes are told as they happen. */
  watching(): void;
}

const PAUSES = { baseMs: 500, capMs: 30_000 };
/** A watch that the server ends sooner than this without a word was a failure. */
const SHORT_WATCH_MS = 1000;
const DEFAULT_WATCH_MS = 600_000;
const LIST_IDLE_MS = 30_000;
/** The server sends bookmarks about once a minute. */
const WATCH_IDLE_MS = 150_000;
const GONE = 410;

/**
 * Keeps up with a list of the API server's: lists it, watches what changes, goes on where it was when the connection ends,
 * and lists again when the server does not remember that far back.
 */
export class ListWatch {
  private readonly client: KubeClient;
  private readonly list: WatchedList;
  private readonly handler: ListWatchHandler;
  private readonly clock: Clock;
  private resourceVersion: string | undefined;
  /** What the server remembers begins behind what it had told: its memory is not to be asked. */
  private wasGone = false;
  private failures = 0;

  constructor(client: KubeClient, list: WatchedList, handler: ListWatchHandler, clock: Clock) {
    this.client = client;
    this.list = list;
    this.handler = handler;
    this.clock = clock;
    this.resourceVersion = list.resourceVersion;
  }

  /** Goes on until the signal aborts. Never rejects for what the server does, only for what the handler throws. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        if (this.resourceVersion === undefined) await this.readList(signal);
        await this.watch(signal);
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof HandlerError) throw error.cause;
        if (error instanceof KubeError && error.status === GONE) {
          // No failure of anybody's, unless it happens again and again.
          this.resourceVersion = undefined;
          this.wasGone = true;
          if (this.failures++ === 0) continue;
        }
        await this.pause(error as Error, signal);
      }
    }
  }

  private async pause(error: Error, signal: AbortSignal): Promise<void> {
    this.failures++;
    const asked = error instanceof KubeError ? error.retryAfterMs ?? 0 : 0;
    const pauseMs = Math.max(backoffMs(this.failures, PAUSES), Math.min(asked, PAUSES.capMs));
    this.handler.failed(error, pauseMs);
    await this.clock.sleep(pauseMs, signal);
  }

  private async readList(signal: AbortSignal): Promise<void> {
    this.handler.listStarts();
    let next: string | undefined;
    let resourceVersion: string;
    do {
      const page = await this.readPage(next, signal);
      next = page.continue === "" ? undefined : page.continue;
      resourceVersion = page.resourceVersion;
    } while (next !== undefined);
    await handled(() => this.handler.listEnds(resourceVersion));
    this.resourceVersion = resourceVersion;
    this.wasGone = false;
  }

  private async readPage(
    next: string | undefined,
    signal: AbortSignal,
  ): Promise<{ readonly resourceVersion: string; readonly continue?: string }> {
    const query = new URLSearchParams({ limit: String(this.list.pageSize ?? 50) });
    if (next !== undefined) query.set("continue", next);
    // From the server's memory, where it knows which objects a selector means: from its store it would read all there are.
    else if (!this.wasGone) query.set("resourceVersion", "0");
    const items = new ListItems(this.list.omitted);
    for await (const part of this.read(query, LIST_IDLE_MS, signal)) {
      for (const text of items.push(part)) {
        const wait = inHandler(() => this.handler.listed(JSON.parse(text)));
        if (wait !== undefined) await wait.catch(rethrow);
      }
    }
    const { metadata } = items.end() as {
      readonly metadata?: { readonly resourceVersion?: string; readonly continue?: string };
    };
    if (!metadata?.resourceVersion) throw new Error("what the server sends is no list");
    return { ...metadata, resourceVersion: metadata.resourceVersion };
  }

  private async watch(signal: AbortSignal): Promise<void> {
    const startMs = this.clock.nowMs();
    const watchMs = this.list.watchMs ?? DEFAULT_WATCH_MS;
    // Not all collectors of a cluster at once.
    const seconds = Math.ceil(watchMs / 1000 * (0.75 + Math.random() / 4));
    const query = new URLSearchParams({
      watch: "1",
      allowWatchBookmarks: "true",
      resourceVersion: this.resourceVersion!,
      timeoutSeconds: String(seconds),
    });
    const lines = new WatchLines();
    let isOpen = false;
    for await (const part of this.read(query, Math.min(WATCH_IDLE_MS, watchMs + 10_000), signal)) {
      for (const line of lines.push(part)) {
        await this.change(line);
        if (isOpen) continue;
        isOpen = true;
        this.failures = 0;
      }
    }
    if (!isOpen && this.clock.nowMs() - startMs < SHORT_WATCH_MS) {
      throw new Error("the server ends the watch at once");
    }
    this.failures = 0;
  }

  private async *read(query: URLSearchParams, idleMs: number, signal: AbortSignal) {
    const { path, fieldSelector } = this.list;
    if (fieldSelector !== undefined) query.set("fieldSelector", fieldSelector);
    const isWatch = query.has("watch");
    const onOpen = () => isWatch && this.handler.watching();
    yield* this.client.read(`${path}?${query}`, { idleMs, signal, onOpen });
  }

  private async change(line: string): Promise<void> {
    const { type, object } = JSON.parse(line) as {
      readonly type: string;
      readonly object: KubeObject & { readonly code?: number };
    };
    if (type === "ERROR") throw kubeError(object.code ?? 0, JSON.stringify(object));
    const version = object.metadata?.resourceVersion;
    if (type === "ADDED" || type === "MODIFIED" || type === "DELETED") {
      const wait = inHandler(() => this.handler.changed(type, object));
      if (wait !== undefined) await wait.catch(rethrow);
    } else if (type !== "BOOKMARK") throw new Error(`a change of the unknown type "${type}"`);
    if (version === undefined) return;
    this.resourceVersion = version;
    this.handler.reached?.(version);
  }
}

/** What the handler threw: nothing to try again. */
class HandlerError extends Error {
  constructor(cause: unknown) {
    super("a handler failed", { cause });
  }
}

function inHandler(call: () => MaybePromise<void>): MaybePromise<void> {
  try {
    return call();
  } catch (error) {
    throw new HandlerError(error);
  }
}

function rethrow(error: unknown): never {
  throw new HandlerError(error);
}

async function handled(call: () => MaybePromise<void>): Promise<void> {
  await Promise.resolve(inHandler(call)).catch(rethrow);
}
