import type { Holder, Upkeep } from "./upkeep.ts";

/** Something that runs for whoever needs it. */
export interface Runnable {
  readonly upkeep: Upkeep;
  run(): Promise<void>;
  close(): void;
}

export interface Shared<T extends Runnable> {
  readonly of: T;
  /** Begins, if nobody has had it begin yet. */
  start(): void;
  release(): void;
}

const known = new Map<string, Runnable>();
const begun = new WeakSet<Runnable>();

/**
 * Gives filters with the same needs the same: one watch serves them all, and goes on when one of them is replaced by
 * another in a reload. It ends with the last.
 *
 * @param key the needs, spelled out
 */
export function share<T extends Runnable>(key: string, holder: Holder, make: () => T): Shared<T> {
  const of = known.get(key) as T | undefined ?? make();
  known.set(key, of);
  of.upkeep.add(holder);
  return {
    of,
    start() {
      if (begun.has(of)) return;
      begun.add(of);
      // What cannot even be said must not end the process.
      of.run().catch((error) => of.upkeep.failed(error as Error)).catch(() => undefined);
    },
    release() {
      of.upkeep.holders.delete(holder);
      if (of.upkeep.holders.size > 0) return;
      known.delete(key);
      of.close();
    },
  };
}
