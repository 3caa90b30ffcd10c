interface Handle {
  hasRef?(): boolean;
}

/** Watches the process's timers while `work` runs, and gives those that were started then and are still to come. */
export async function timersLeftBy(work: () => Promise<void>): Promise<string[]> {
  const { setTimeout, setInterval, clearTimeout, clearInterval } = globalThis;
  const left = new Map<unknown, string>();
  const started = (name: string, start: typeof setTimeout, once: boolean) =>
    Object.assign((call: (...args: unknown[]) => void, ms?: number, ...args: unknown[]) => {
      const handle: unknown = start(
        (...given: unknown[]) => {
          if (once) left.delete(handle);
          call(...given);
        },
        ms,
        ...args,
      );
      left.set(handle, `${name} of ${ms ?? 0} ms`);
      return handle;
    }, start);
  const cleared = (clear: (handle: never) => void) => (handle: unknown) => {
    left.delete(handle);
    // A number stands for its timer.
    for (const key of left.keys()) if (Number(key) === handle) left.delete(key);
    clear(handle as never);
  };
  Object.assign(globalThis, {
    setTimeout: started("setTimeout", setTimeout, true),
    setInterval: started("setInterval", setInterval as typeof setTimeout, false),
    clearTimeout: cleared(clearTimeout),
    clearInterval: cleared(clearInterval),
  });
  try {
    await work();
  } finally {
    Object.assign(globalThis, { setTimeout, setInterval, clearTimeout, clearInterval });
  }
  return [...left].filter(([handle]) => (handle as Handle).hasRef?.() !== false)
    .map(([, what]) => what);
}
