import type { PluginContext } from "../sdk/context.ts";
import { EmissionOrder } from "./emission-order.ts";
import { FilterChain } from "./filter-chain.ts";
import { FilterRunner } from "./filter-runner.ts";
import { InputRunner } from "./input-runner.ts";
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
import { Ticket } from "./ticket.ts";

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
  // Filters and inputs ask for a stop or emit only once the pipeline runs, so they may refer to it ahead.
  const late: Late = {};
  const outputs = spec.outputs.flatMap((o) => attempt("output", o, () => makeOutput(spec, o)));
  const filters = spec.filters.flatMap((f) =>
    attempt("filter", f, () => makeFilter(spec, f, late))
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
  late.chain = chain;
  const order = new EmissionOrder(spec.services.clock.wall().sec);
  late.flushOutputs = () => outputs.forEach((output) => output.flush());
  const inputs = spec.inputs.flatMap((i) =>
    attempt("input", i, () => makeInput(spec, i, chain, order, late))
  );
  if (problems.length > 0) throw new AssemblyError(problems);
  const pipeline = new Pipeline({
    inputs,
    filters,
    outputs,
    chain,
    log,
    clock: spec.services.clock,
    graceMs: spec.settings.graceMs,
  });
  late.stop = (status) => pipeline.requestStop(status);
  return pipeline;
}

interface Late {
  flushOutputs?: () => void;
  chain?: FilterChain;
  stop?: (status: number) => void;
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

function makeOutput(spec: PipelineSpec, output: OutputSpec): OutputRunner {
  const { services, settings } = spec;
  const context = baseContext(spec, "output", output.id);
  return new OutputRunner({
    id: output.id,
    output: output.create({ ...context, match: output.match }),
    log: context.log,
    clock: services.clock,
    metrics: services.metrics.output(output.id),
    accepts: output.accepts,
    flushMs: settings.flushMs,
    payloadBytes: settings.payloadBytes,
    queueBytes: output.queueBytes,
    maxInFlight: output.maxInFlight,
    retryLimit: output.retryLimit,
    backoff: settings.backoff,
  });
}

function makeFilter(spec: PipelineSpec, filter: FilterSpec, late: Late): FilterRunner {
  const context = baseContext(spec, "filter", filter.id);
  const runner = new FilterRunner({
    id: filter.id,
    log: context.log,
    metrics: spec.services.metrics.filter(filter.id),
    accepts: filter.accepts,
    onError: filter.onError,
  });
  runner.use(filter.create({
    ...context,
    onError: filter.onError ?? "reject",
    hold: () => runner.hold(),
    reject: (record, error) => runner.reject(record, error),
    stop: (status) => late.stop?.(status),
    emit(batch, ack) {
      runner.countEmitted(batch.length);
      const ticket = new Ticket(ack && { settled: runner.guarded(ack) });
      try {
        return late.chain!.process(batch, ticket, runner) ?? undefined;
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
  order: EmissionOrder,
  late: Late,
): InputRunner {
  const { services } = spec;
  const context = baseContext(spec, "input", input.id);
  const runner = new InputRunner({
    id: input.id,
    log: context.log,
    clock: services.clock,
    metrics: services.metrics.input(input.id),
    chain,
    order,
    memBufLimit: input.memBufLimit,
    onFull: () => late.flushOutputs?.(),
    onQuiet: (bytes) => services.onQuiet(bytes),
  });
  runner.use(input.create({
    ...context,
    tag: input.tag,
    emit: (batch, ack) => runner.emit(batch, ack),
    checkpoints: (wanted) => runner.checkpoints(wanted),
    breathe: () => runner.breathe(),
    stopWhenDone: () => void (runner.stopsWhenDone = true),
    exitCode: (status) => late.stop?.(status),
  }));
  return runner;
}
