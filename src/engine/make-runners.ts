import type { DiskQueue } from "../buffer/disk/disk-queue.ts";
import { MemoryQueue } from "../buffer/memory-queue.ts";
import { queueFolderName } from "../buffer/disk/queue-folder.ts";
import type { PayloadQueue, QueueEvents, QueueLimits } from "../buffer/payload-queue.ts";
import type { PluginContext } from "../sdk/context.ts";
import { ConfigError } from "../sdk/errors.ts";
import { DeliveryBook } from "./delivery-book.ts";
import { FilterRunner } from "./filter-runner.ts";
import { InputRunner } from "./input-runner.ts";
import { openDiskQueue } from "./open-disk-queue.ts";
import { OutputRunner } from "./output-runner.ts";
import { keyOf, type SharedParts } from "./shared-parts.ts";
import type {
  DiskSettings,
  FilterSpec,
  InputSpec,
  OutputSpec,
  PipelineSpec,
  SpecKind,
} from "./spec.ts";

/** Makes the runners of one configuration. Each call throws what the plugin's `create` throws. */
export class RunnerMaker {
  private readonly spec: PipelineSpec;
  private readonly parts: SharedParts;
  private isInForce = false;
  /** The disk queues that were opened for this configuration. */
  readonly queues: DiskQueue[] = [];

  constructor(spec: PipelineSpec, parts: SharedParts) {
    this.spec = spec;
    this.parts = parts;
  }

  /** From now on plugins find the parsers of the configuration that is in force, whichever that will be. */
  takeForce(): void {
    this.isInForce = true;
  }

  output(output: OutputSpec): OutputRunner {
    const { spec: { services, settings }, parts } = this;
    const { id, plugin, limitBytes, fullPolicy: policy } = output;
    const { keep } = services;
    const context = this.context("output", id);
    return new OutputRunner({
      id,
      output: output.create({ ...context, match: output.match }),
      log: context.log,
      clock: services.clock,
      metrics: services.metrics.output(id),
      book: new DeliveryBook(parts.books, id),
      accepts: output.accepts,
      settings: parts.settings,
      payloadBytes: Math.min(settings.payloadBytes, Math.max(16 * 1024, limitBytes / 4)),
      limits: { limitBytes, policy },
      openQueue: (format, owner) => this.openQueue(output, format, owner),
      onQueueClosed: (queue, format) => {
        if (!queue.isDurable) return;
        parts.keeper.removeQueue(queue);
        parts.openQueues.delete(folderOf(output, format));
      },
      onFull: () => parts.keeper.hurry(),
      maxInFlight: output.maxInFlight,
      retryLimit: output.retryLimit,
      keep: keep && ((letter, format) => keep({ ...letter, output: id, plugin, format })),
    });
  }

  filter(filter: FilterSpec): FilterRunner {
    const { spec: { services }, parts } = this;
    const { id, onError } = filter;
    const context = this.context("filter", id);
    const runner = new FilterRunner({
      id,
      log: context.log,
      metrics: services.metrics.filter(id),
      accepts: filter.accepts,
      onError,
      book: parts.books.source("filter", id),
    });
    runner.use(filter.create({
      ...context,
      onError: onError ?? "reject",
      hold: () => runner.hold(),
      reject: (record, error) => runner.reject(record, error),
      stop: (status) => parts.stop(status),
      emit(batch, ack) {
        const ticket = runner.emits(batch, ack);
        try {
          return parts.entrance.process(batch, ticket, runner) ?? undefined;
        } finally {
          ticket.release();
        }
      },
    }));
    return runner;
  }

  input(input: InputSpec): InputRunner {
    const { spec: { services }, parts } = this;
    const { id } = input;
    const context = this.context("input", id);
    const runner = new InputRunner({
      id,
      log: context.log,
      clock: services.clock,
      metrics: services.metrics.input(id),
      entrance: parts.entrance,
      order: parts.order,
      keeper: parts.keeper,
      book: parts.books.source("input", id),
      openCheckpoints: (options) => services.openCheckpoints(input, options),
      memBufLimit: input.memBufLimit,
      onFull: () => parts.flushOutputs(),
      onQuiet: (bytes) => services.onQuiet(bytes),
    });
    runner.use(input.create({
      ...context,
      tag: input.tag,
      emit: (batch, ack) => runner.emit(batch, ack),
      checkpoints: (wanted) => runner.checkpoints(wanted),
      breathe: () => runner.breathe(),
      stopWhenDone: () => void (runner.stopsWhenDone = true),
      exitCode: (status) => parts.stop(status),
      shard: services.shard?.(id),
    }));
    return runner;
  }

  private context(kind: SpecKind, id: string): PluginContext {
    const { spec, parts } = this;
    const parsers = () => {
      parts.parserUsers.add(keyOf(kind, id));
      return this.isInForce ? parts.services : spec.services;
    };
    return {
      id,
      log: spec.services.log(id, kind),
      metrics: spec.services.metrics.plugin(id),
      clock: spec.services.clock,
      parser: (name) => parsers().parser(name),
      multiline: (names) => parsers().multiline(names),
    };
  }

  private openQueue(
    output: OutputSpec,
    format: string,
    owner: QueueEvents & QueueLimits,
  ): PayloadQueue | Promise<PayloadQueue> {
    const { disk } = this.spec.settings;
    if (output.storage === "memory" || disk === undefined) return new MemoryQueue(owner);
    return this.openOnDisk(output, format, { owner, disk });
  }

  private async openOnDisk(
    output: OutputSpec,
    format: string,
    { owner, disk }: { owner: QueueEvents & QueueLimits; disk: DiskSettings },
  ): Promise<PayloadQueue> {
    const { spec: { services }, parts } = this;
    const name = folderOf(output, format);
    if (parts.openQueues.has(name)) {
      throw new ConfigError(
        `its queue ${name} on disk is still the one of another output, which had this name until now: give ` +
          "each output an alias of its own",
      );
    }
    parts.openQueues.add(name);
    try {
      const queue = await openDiskQueue(output, format, {
        disk,
        clock: services.clock,
        log: services.log(output.id, "output"),
        metrics: services.metrics.output(output.id),
        keeper: parts.keeper,
        owner,
      });
      this.queues.push(queue);
      return queue;
    } catch (error) {
      parts.openQueues.delete(name);
      throw error;
    }
  }
}

function folderOf({ id, plugin }: OutputSpec, format: string): string {
  return queueFolderName({ output: id, plugin, format });
}
