import type { LoadedConfig } from "../../config/loaded-config.ts";

/** Whether the inputs of all shards know the streams that were there at the start. */
export class FirstSearch {
  /** Resolves when they do. */
  readonly over: Promise<void>;
  private readonly waiting = new Set<string>();
  private readonly end = Promise.withResolvers<void>();

  constructor() {
    this.over = this.end.promise;
  }

  expect(inputs: LoadedConfig["inputs"], count: number): void {
    for (const { id, definition } of inputs) {
      if (definition.sharded !== true) continue;
      for (let index = 0; index < count; index++) this.waiting.add(`${index} ${id}`);
    }
  }

  found(input: string, index: number): void {
    this.waiting.delete(`${index} ${input}`);
    if (this.waiting.size === 0) this.end.resolve();
  }
}
