import type { InputRunner } from "./input-runner.ts";

interface Running {
  readonly stop: AbortController;
  readonly returned: Promise<void>;
  hasReturned: boolean;
}

/** The inputs at work, and whether those that end on their own have ended. */
export class RunningInputs {
  private readonly inputs = new Map<InputRunner, Running>();
  private readonly end = Promise.withResolvers<void>();

  /** Resolves when every input that asked for the end has returned. */
  get ended(): Promise<void> {
    return this.end.promise;
  }

  start(input: InputRunner): void {
    const stop = new AbortController();
    const returned = input.run(stop.signal).then(() => {
      running.hasReturned = true;
      this.look();
    });
    const running: Running = { stop, returned, hasReturned: false };
    this.inputs.set(input, running);
  }

  /** Asks one to stop, and takes it out. Resolves when it has returned. */
  async stop(input: InputRunner): Promise<void> {
    const running = this.inputs.get(input);
    this.inputs.delete(input);
    running?.stop.abort();
    await running?.returned;
  }

  /** Asks all to stop. Resolves when all have returned. */
  async stopAll(): Promise<void> {
    const running = [...this.inputs.values()];
    for (const { stop } of running) stop.abort();
    await Promise.all(running.map(({ returned }) => returned));
  }

  private look(): void {
    const ending = [...this.inputs].filter(([{ stopsWhenDone }]) => stopsWhenDone);
    if (ending.length > 0 && ending.every(([, { hasReturned }]) => hasReturned)) this.end.resolve();
  }
}
