import {
  Batch,
  type Filter,
  type FilterContext,
  type LineJoiner,
  type LineJoinerFactory,
  type LogRecord,
} from "logcollector/plugin";
import { HeldBatches } from "./held-batches.ts";

/** A stream that holds nothing is forgotten when it was silent for so long, in milliseconds. */
const FORGET_MS = 60_000;
/** The field of a joined text when no parser names one. */
const DEFAULT_KEY = "log";

export interface ParserModeOptions {
  /** The field that holds the lines, in place of the one that the parsers name. */
  readonly keyContent: string | undefined;
  readonly buffer: boolean;
  readonly flushMs: number;
}

interface Stream {
  readonly tag: string;
  readonly name: string;
  readonly joiner: LineJoiner;
  readonly held: HeldBatches;
  cancelFlush: (() => void) | undefined;
}

/**
 * Joins by multiline parsers. With a buffer, all records leave through `emit`, joined or not, so that they
 * keep their order and so that a batch is acked only when the records made of its lines are safe.
 */
export function createParserMode(
  factory: LineJoinerFactory,
  options: ParserModeOptions,
  ctx: FilterContext,
): Filter {
  const truncated = ctx.metrics.counter(
    "filter_emit_truncated_total",
    "Multiline records that were cut because they grew over the limit",
  );
  const createJoiner = (): LineJoiner =>
    factory.create({
      key: DEFAULT_KEY,
      keyContent: options.keyContent,
      onTruncated: () => {
        truncated.value++;
        ctx.log.warn("Cut a multiline record: it grew over multiline_buffer_limit");
      },
    });
  return options.buffer
    ? new BufferedMode(createJoiner, options.flushMs, ctx)
    : unbuffered(createJoiner);
}

function unbuffered(createJoiner: () => LineJoiner): Filter {
  const joiner = createJoiner();
  return {
    process(batch) {
      const joined: LogRecord[] = [];
      for (const record of batch.records) joiner.feedRecord(record, 0, joined);
      joiner.flush(joined);
      return batch.with(joined);
    },
  };
}

class BufferedMode implements Filter {
  private readonly streams = new Map<string, Stream>();
  private readonly createJoiner: () => LineJoiner;
  private readonly flushMs: number;
  private readonly ctx: FilterContext;

  constructor(createJoiner: () => LineJoiner, flushMs: number, ctx: FilterContext) {
    this.createJoiner = createJoiner;
    this.flushMs = flushMs;
    this.ctx = ctx;
  }

  process(batch: Batch): Batch | Promise<Batch> {
    const stream = this.streamOf(batch);
    stream.cancelFlush?.();
    stream.cancelFlush = undefined;
    const position = stream.held.add(this.ctx.hold());
    const joined: LogRecord[] = [];
    for (const record of batch.records) stream.joiner.feedRecord(record, position, joined);
    const sent = this.send(stream, joined);
    const waitMs = stream.joiner.pendingPosition === -1 ? FORGET_MS : this.flushMs;
    stream.cancelFlush = this.ctx.clock.after(waitMs, () => this.flushStream(stream));
    const nothing = batch.with([]);
    return sent === undefined ? nothing : sent.then(() => nothing);
  }

  private streamOf({ tag, stream: name }: Batch): Stream {
    const key = `${tag}\0${name}`;
    let stream = this.streams.get(key);
    if (stream === undefined) {
      stream = {
        tag,
        name,
        joiner: this.createJoiner(),
        held: new HeldBatches(),
        cancelFlush: undefined,
      };
      this.streams.set(key, stream);
    }
    return stream;
  }

  private send(stream: Stream, records: LogRecord[]): Promise<void> | undefined {
    const { tag, name, held } = stream;
    let sent: Promise<void> | undefined;
    if (records.length > 0) {
      const safe = held.leave();
      sent = this.ctx.emit(Batch.of(tag, records, { stream: name }), safe);
    }
    held.waitingFrom(stream.joiner.pendingPosition);
    return sent;
  }

  /** Nothing came for a while: what waits is complete, and the stream costs nothing until it speaks again. */
  private flushStream(stream: Stream): void {
    stream.cancelFlush = undefined;
    const records: LogRecord[] = [];
    stream.joiner.flush(records);
    this.streams.delete(`${stream.tag}\0${stream.name}`);
    void this.send(stream, records);
  }

  flush(): Batch[] {
    const batches: Batch[] = [];
    for (const stream of this.streams.values()) {
      stream.cancelFlush?.();
      const records: LogRecord[] = [];
      stream.joiner.flush(records);
      if (records.length > 0) batches.push(Batch.of(stream.tag, records, { stream: stream.name }));
    }
    this.streams.clear();
    return batches;
  }
}
