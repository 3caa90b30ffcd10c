import { countOf } from "../lib/count-of.ts";
import { systemClock } from "../lib/clock.ts";
import type { FilterContext, Logger, OutputContext } from "../sdk/context.ts";
import {
  type EncodedOutput,
  type Filter,
  isEncodedOutput,
  type Output,
  type Parser,
  type ParserContext,
  type PluginDefinition,
} from "../sdk/define.ts";

/** A call that takes longer is worth a word: nothing else happens in the process meanwhile. */
const SLOW_MS = 100;
/** From one word to the next. */
const PAUSE_MS = 1000;

/**
 * The same plugin, which says so in the log when one call of it keeps everything else waiting. What it waits
 * for itself, behind an `await`, does not count.
 */
export function watchInline(definition: PluginDefinition, path: string): PluginDefinition {
  const { kind, name } = definition;
  const watch = new SlowCalls(`${kind} "${name}" of ${path}`, systemClock.nowMs);
  switch (definition.kind) {
    case "filter":
      return {
        ...definition,
        create: (config: object, ctx: FilterContext) =>
          watchFilter(definition.create(config as never, ctx), watch, ctx.log),
      };
    case "output":
      return {
        ...definition,
        create: (config: object, ctx: OutputContext) =>
          watchOutput(definition.create(config as never, ctx), watch, ctx.log),
      };
    case "parser":
      return {
        ...definition,
        create: (config: object, ctx: ParserContext) =>
          watchParser(definition.create(config as never, ctx), watch, ctx.log),
      };
    case "input":
      return definition;
  }
}

/** Says when a call was slow, at most once a second. */
export class SlowCalls {
  /** Milliseconds that never jump. */
  readonly nowMs: () => number;
  private readonly plugin: string;
  private saidMs = -Infinity;
  private unsaid = 0;

  constructor(plugin: string, nowMs: () => number) {
    this.plugin = plugin;
    this.nowMs = nowMs;
  }

  /** The end of a call that began at `startMs`. */
  done(startMs: number, records: number, log: Pick<Logger, "warn">): void {
    const endMs = this.nowMs();
    if (endMs - startMs > SLOW_MS) this.slow(endMs - startMs, endMs, records, log);
  }

  private slow(tookMs: number, nowMs: number, records: number, log: Pick<Logger, "warn">): void {
    if (nowMs - this.saidMs < PAUSE_MS) {
      this.unsaid++;
      return;
    }
    const more = this.unsaid > 0 ? `, and ${countOf(this.unsaid, "other call")} took too long` : "";
    log.warn(
      `${this.plugin} took ${Math.round(tookMs)} ms for ${
        countOf(records, "record")
      }${more}: everything else waited for it; "isolation: worker" would keep it apart`,
    );
    this.saidMs = nowMs;
    this.unsaid = 0;
  }
}

function watchFilter(filter: Filter, watch: SlowCalls, log: Logger): Filter {
  return {
    process(batch) {
      const startMs = watch.nowMs();
      const records = batch.length;
      try {
        return filter.process(batch);
      } finally {
        watch.done(startMs, records, log);
      }
    },
    ...(filter.flush && { flush: () => filter.flush!() }),
    ...(filter.close && { close: () => filter.close!() }),
  };
}

function watchOutput(
  output: Output | EncodedOutput,
  watch: SlowCalls,
  log: Logger,
): Output | EncodedOutput {
  const common = {
    ...(output.open && { open: (signal: AbortSignal) => output.open!(signal) }),
    ...(output.close && { close: () => output.close!() }),
  };
  if (!isEncodedOutput(output)) {
    return {
      ...common,
      write(batch, signal) {
        const startMs = watch.nowMs();
        const records = batch.length;
        try {
          return output.write(batch, signal);
        } finally {
          watch.done(startMs, records, log);
        }
      },
    };
  }
  return {
    ...common,
    ...(output.framing && { framing: output.framing }),
    ...(output.format !== undefined && { format: output.format }),
    ...(output.seal && { seal: (bytes: Uint8Array) => output.seal!(bytes) }),
    encode(batch, into) {
      const startMs = watch.nowMs();
      try {
        output.encode(batch, into);
      } finally {
        watch.done(startMs, batch.length, log);
      }
    },
    send: (payload, signal) => output.send(payload, signal),
  };
}

function watchParser(parser: Parser, watch: SlowCalls, log: Logger): Parser {
  return {
    parse(line) {
      const startMs = watch.nowMs();
      try {
        return parser.parse(line);
      } finally {
        watch.done(startMs, 1, log);
      }
    },
  };
}
