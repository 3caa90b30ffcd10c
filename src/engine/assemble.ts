import { DiskQueue } from "../buffer/disk/disk-queue.ts";
import { MemoryQueue } from "../buffer/memory-queue.ts";
import type { PayloadQueue, QueueEvents } from "../buffer/payload-queue.ts";
import type { PluginContext } from "../sdk/context.ts";
import { Books } from "./books.ts";
import { CheckpointKeeper } from "./checkpoint-keeper.ts";
import { DeliveryBook } from "./delivery-book.ts";
import { EmissionOrder } from "./emission-order.ts";
import { FilterChain } from "./filter-chain.ts";
import { FilterRunner } from "./filter-runner.ts";
import { InputRunner } from "./input-runner.ts";
import { openDiskQueue } from "./open-disk-queue.ts";
import { OutputRunner } from "./output-runner.ts";
import { Pipeline } from "./pipeline.ts";
import { Router } from "./router.ts";
import type {
  AssemblyProblem,
  FilterSpec,
  InputSpec,
  OutputSpec,
  PipelineSpec,
  SpecKind,
} from "./spec.ts";

/** All plugins that could not be made, not only the first. */
export class AssemblyError extends Error {
  override readonly name = "AssemblyError";
  readonly problems: readonly AssemblyProblem[];

  constructor(problems: readonly AssemblyProblem[]) {
    super(`Cannot assemble the pipeline: ${problems.length} plugins failed`);
    this.problems = problems;
  }
}

/**
 * Makes every plugin and ties them together. Nothing runs, reads or connects yet. Throws AssemblyError.
 */
export function assemble(spec: PipelineSpec): Pipeline {
  const problems: AssemblyProblem[] = [];
  const attempt = <T>(kind: SpecKind, { id }: { readonly id: string }, make: () => T): T[] => {
    try {
      return [make()];
    } catch (error) {
      problems.push({ kind, id, error });
      return [];
    }
  };
  const parts = sharedParts(spec);
  const outputs = spec.outputs.flatMap((o) =>
    attempt("output", o, () => makeOutput(spec, o, parts))
  );
  const filters = spec.filters.flatMap((f) =>
    attempt("filter", f, () => makeFilter(spec, f, parts))
  );
  const log = spec.services.log("engine");
  const { metrics } = spec.services;
  const chain = new FilterChain({
    filters,
    router: new Router(outputs, log),
    log,
    unrouted: metrics.engine("unrouted_records_total", "Records that no output matched"),
    looped: metrics.engine("retag_loop_records_total", "Records that were re-tagged in a circle"),
  });
  parts.chain = chain;
  parts.flushOutputs = () => outputs.forEach((output) => output.flush());
  const inputs = spec.inputs.flatMap((i) =>
    attempt("input", i, () => makeInput(spec, i, chain, parts))
  );
  if (problems.length > 0) throw new AssemblyError(problems);
  const pipeline = new Pipeline({
    inputs,
    filters,
    outputs,
    chain,
    keeper: parts.keeper,
    books: parts.books,
    queues: parts.queues,
    log,
    clock: spec.services.clock,
    graceMs: spec.settings.graceMs,
  });
  parts.stop = (status) => pipeline.requestStop(status);
  return pipeline;
}

/** What the runners of a pipeline share. Filters and inputs refer ahead to what comes once the pipeline runs. */
interface SharedParts {
  readonly books: Books;
  readonly keeper: CheckpointKeeper;
  readonly order: EmissionOrder;
  /** The disk queues that were opened. */
  readonly queues: DiskQueue[];
  flushOutputs?: () => void;
  chain?: FilterChain;
  stop?: (status: number) => void;
}

function sharedParts({ services }: PipelineSpec): SharedParts {
  const { clock, metrics } = services;
  const books = new Books();
  metrics.onCollect(() => {
    for (const book of books.all) book.show(metrics.book(book.kind, book.name));
  });
  const keeper = new CheckpointKeeper({
    clock,
    log: services.log("checkpoints"),
    errors: metrics.engine("checkpoint_errors_total", "Times that positions could not be saved"),
  });
  return { books, keeper, order: new EmissionOrder(clock.wall()), queues: [] };
}

function baseContext({ services }: PipelineSpec, kind: SpecKind, id: string): PluginContext {
  return {
    id,
    log: services.log(id, kind),
    metrics: services.metrics.plugin(id),
    clock: services.clock,
    parser: (name) => services.parser(name),
    multiline: (names) => services.multiline(names),
  };
}

function makeOutput(spec: PipelineSpec, output: OutputSpec, parts: SharedParts): OutputRunner {
  const { services, settings } = spec;
  const context = baseContext(spec, "output", output.id);
  const { id, plugin } = output;
  const { keep } = services;
  const metrics = services.metrics.output(id);
  return new OutputRunner({
    id,
    output: output.create({ ...context, match: output.match }),
    log: context.log,
    clock: services.clock,
    metrics,
    book: new DeliveryBook(parts.books, id),
    accepts: output.accepts,
    flushMs: settings.flushMs,
    payloadBytes: Math.min(settings.payloadBytes, Math.max(16 * 1024, output.limitBytes / 4)),
    openQueue: (format, events) => openOutputQueue(spec, output, parts, format, events),
    onFull: () => parts.keeper.hurry(),
    maxInFlight: output.maxInFlight,
    retryLimit: output.retryLimit,
    backoff: settings.backoff,
    keep: keep && ((letter, format) => keep({ ...letter, output: id, plugin, format })),
  });
}

function openOutputQueue(
  { services, settings }: PipelineSpec,
  output: OutputSpec,
  { keeper, queues }: SharedParts,
  format: string,
  events: QueueEvents,
): PayloadQueue | Promise<PayloadQueue> {
  const { limitBytes, fullPolicy: policy } = output;
  const { disk } = settings;
  if (output.storage === "memory" || disk === undefined) {
    return new MemoryQueue({ ...events, limitBytes, policy });
  }
  return openDiskQueue(output, format, {
    disk,
    clock: services.clock,
    log: services.log(output.id, "output"),
    metrics: services.metrics.output(output.id),
    keeper,
    events,
  }).then((queue) => {
    queues.push(queue);
    return queue;
  });
}

function makeFilter(spec: PipelineSpec, filter: FilterSpec, parts: SharedParts): FilterRunner {
  const context = baseContext(spec, "filter", filter.id);
  const runner = new FilterRunner({
    id: filter.id,
    log: context.log,
    metrics: spec.services.metrics.filter(filter.id),
    accepts: filter.accepts,
    onError: filter.onError,
    book: parts.books.source("filter", filter.id),
  });
  runner.use(filter.create({
    ...context,
    onError: filter.onError ?? "reject",
    hold: () => runner.hold(),
    reject: (record, error) => runner.reject(record, error),
    stop: (status) => parts.stop?.(status),
    emit(batch, ack) {
      const ticket = runner.emits(batch, ack);
      try {
        return parts.chain!.process(batch, ticket, runner) ?? undefined;
      } finally {
        ticket.release();
      }
    },
  }));
  return runner;
}

function makeInput(
  spec: PipelineSpec,
  input: InputSpec,
  chain: FilterChain,
  parts: SharedParts,
): InputRunner {
  const { services } = spec;
  const context = baseContext(spec, "input", input.id);
  const runner = new InputRunner({
    id: input.id,
    log: context.log,
    clock: services.clock,
    metrics: services.metrics.input(input.id),
    chain,
    order: parts.order,
    keeper: parts.keeper,
    book: parts.books.source("input", input.id),
    openCheckpoints: (options) => services.openCheckpoints(input, options),
    memBufLimit: input.memBufLimit,
    onFull: () => parts.flushOutputs?.(),
    onQuiet: (bytes) => services.onQuiet(bytes),
  });
  runner.use(input.create({
    ...context,
    tag: input.tag,
    emit: (batch, ack) => runner.emit(batch, ack),
    checkpoints: (wanted) => runner.checkpoints(wanted),
    breathe: () => runner.breathe(),
    stopWhenDone: () => void (runner.stopsWhenDone = true),
    exitCode: (status) => parts.stop?.(status),
  }));
  return runner;
}
