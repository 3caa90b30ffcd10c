import { BoundedCache } from "../lib/bounded-cache.ts";
import type { Logger } from "../sdk/context.ts";
import type { OutputRunner } from "./output-runner.ts";

const MAX_CACHED_TAGS = 10_000;

/** Which outputs a tag goes to: worked out once per tag. */
export class Router {
  private readonly cache = new BoundedCache<string, readonly OutputRunner[]>(MAX_CACHED_TAGS);
  private readonly outputs: readonly OutputRunner[];
  private readonly log: Logger;

  constructor(outputs: readonly OutputRunner[], log: Logger) {
    this.outputs = outputs;
    this.log = log;
  }

  route(tag: string): readonly OutputRunner[] {
    return this.cache.get(tag) ?? this.cache.set(tag, this.compile(tag));
  }

  private compile(tag: string): readonly OutputRunner[] {
    const found = this.outputs.filter((output) => output.accepts(tag));
    if (found.length === 0) {
      this.log.warn(`No output matches tag "${tag}": its records are dropped`, {
        reason: "no_route",
      });
    }
    return found;
  }
}
