import { Books } from "./books.ts";
import { CheckpointKeeper } from "./checkpoint-keeper.ts";
import { EmissionOrder } from "./emission-order.ts";
import { Entrance } from "./entrance.ts";
import { FilterChain } from "./filter-chain.ts";
import type { FilterRunner } from "./filter-runner.ts";
import type { OutputRunner } from "./output-runner.ts";
import { Router } from "./router.ts";
import type { PipelineServices, PipelineSettings, PipelineSpec, SpecKind } from "./spec.ts";

/** The settings that may change while a pipeline runs; those who use them look each time. */
export type LiveSettings = {
  -readonly [K in "flushMs" | "graceMs" | "backoff"]: PipelineSettings[K];
};

/** What the runners of a pipeline share, over all changes of its configuration. */
export class SharedParts {
  readonly books = new Books();
  readonly entrance = new Entrance();
  readonly keeper: CheckpointKeeper;
  readonly order: EmissionOrder;
  readonly settings: LiveSettings;
  /** Names of the folders whose queues are open: two would destroy each other's. */
  readonly openQueues = new Set<string>();
  /** Who has asked for a parser, by {@link keyOf}: a change of parsers concerns them. */
  readonly parserUsers = new Set<string>();
  /** Of the configuration that is in force. */
  services: PipelineServices;
  onQueueLeft: () => void = () => undefined;
  flushOutputs: () => void = () => undefined;
  stop: (status: number) => void = () => undefined;

  constructor({ services, settings }: PipelineSpec) {
    const { clock, metrics } = services;
    this.services = services;
    this.settings = { ...settings, backoff: { ...settings.backoff } };
    this.order = new EmissionOrder(clock.wall());
    this.keeper = new CheckpointKeeper({
      clock,
      log: services.log("checkpoints"),
      confirm: services.confirmPositions,
      errors: metrics.engine("checkpoint_errors_total", "Times that positions could not be saved"),
    });
    metrics.onCollect(() => {
      for (const book of this.books.all) book.show(metrics.book(book.kind, book.name));
    });
  }

  /** Takes up the settings and services of another configuration. */
  renew({ services, settings }: PipelineSpec): void {
    const { flushMs, graceMs, backoff } = settings;
    this.services = services;
    Object.assign(this.settings, { flushMs, graceMs });
    Object.assign(this.settings.backoff, backoff);
  }

  chainOf(filters: readonly FilterRunner[], outputs: readonly OutputRunner[]): FilterChain {
    const { metrics } = this.services;
    const log = this.services.log("engine");
    return new FilterChain({
      filters,
      router: new Router(outputs, log),
      log,
      unrouted: metrics.engine("unrouted_records_total", "Records that no output matched"),
      looped: metrics.engine("retag_loop_records_total", "Records that were re-tagged in a circle"),
    });
  }
}

/** Ids are unique within a kind only. */
export function keyOf(kind: SpecKind, id: string): string {
  return `${kind} ${id}`;
}
