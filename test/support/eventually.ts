/** Conditions that come true some time soon, with a deadline instead of a guess at how long it takes. */

const DEADLINE_MS = 8000;
const LOOK_MS = 4;

/** Resolves once the condition holds; rejects with what `describe` says when it does not in time. */
export async function eventually(
  condition: () => boolean,
  describe: () => string = () => condition.toString(),
  deadlineMs: number = DEADLINE_MS,
): Promise<void> {
  const endMs = performance.now() + deadlineMs;
  while (!condition()) {
    if (performance.now() > endMs) throw new Error(`Not within ${deadlineMs} ms: ${describe()}`);
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}

/** Resolves with what the promise gives; rejects when that takes longer than the deadline. */
export async function inTime<T>(
  work: Promise<T>,
  what: string,
  deadlineMs: number = DEADLINE_MS,
): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`Not within ${deadlineMs} ms: ${what}`)), deadlineMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
