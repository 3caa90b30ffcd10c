/** Waits that end: nothing in the testing kit waits for longer than it was told. */

/** How long the kit waits for what should happen at once, in milliseconds of real time. */
export const DEADLINE_MS = 5000;

const LOOK_MS = 2;

/** Something did not happen in time. */
export class DeadlineError extends Error {
  override readonly name = "DeadlineError";
}

/** Resolves with what `work` gives. Rejects when it has not settled after so many milliseconds of real time. */
export async function inTime<T>(
  work: Promise<T> | T,
  what: string,
  deadlineMs: number = DEADLINE_MS,
): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new DeadlineError(`${what}: not within ${deadlineMs} ms`)),
      deadlineMs,
    );
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Resolves once the condition holds; rejects with what `describe` says when it does not in time. */
export async function until(
  condition: () => boolean,
  describe: () => string,
  deadlineMs: number = DEADLINE_MS,
): Promise<void> {
  const endMs = performance.now() + deadlineMs;
  while (!condition()) {
    if (performance.now() > endMs) {
      throw new DeadlineError(`${describe()}: not within ${deadlineMs} ms`);
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}
