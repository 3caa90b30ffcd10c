import type { Labels, MetricsRegistry, Sample } from "./metrics.ts";

/** The families that every input, filter and output has, under Fluent Bit's names where it has them. */
export class PipelineMetrics {
  private readonly registry: MetricsRegistry;

  constructor(registry: MetricsRegistry) {
    this.registry = registry;
  }

  engine(name: string, help: string): Sample {
    return this.registry.counter(name, help);
  }

  onCollect(call: () => void): void {
    this.registry.onCollect(call);
  }

  plugin(id: string) {
    return {
      counter: (name: string, help: string, labels = {}) =>
        this.registry.counter(name, help, { name: id, ...labels }),
      gauge: (name: string, help: string, labels = {}) =>
        this.registry.gauge(name, help, { name: id, ...labels }),
      remove: (name: string, labels: Labels) => this.registry.remove(name, { name: id, ...labels }),
    };
  }

  input(id: string) {
    const { counter, gauge } = this.plugin(id);
    return {
      records: counter("input_records_total", "Number of input records"),
      bytes: counter("input_bytes_total", "Number of input bytes"),
      paused: gauge("input_ingestion_paused", "Is the input paused or not"),
      pendingBytes: gauge("input_pending_bytes", "Bytes emitted and not yet safe at every output"),
    };
  }

  filter(id: string) {
    const { counter } = this.plugin(id);
    return {
      records: counter("filter_records_total", "Number of records that came to the filter"),
      added: counter("filter_add_records_total", "Number of records the filter added"),
      dropped: counter("filter_drop_records_total", "Number of records the filter dropped"),
      emitted: counter("filter_emit_records_total", "Number of records the filter emitted"),
      drop: (reason: string) => this.dropped("filter", id, reason),
    };
  }

  output(id: string) {
    const { counter, gauge } = this.plugin(id);
    return {
      deliveredRecords: counter("output_proc_records_total", "Number of records delivered"),
      deliveredBytes: counter("output_proc_bytes_total", "Number of bytes delivered"),
      errors: counter(
        "output_errors_total",
        "Number of payloads that the destination refused for good",
      ),
      retries: counter("output_retries_total", "Number of retries scheduled"),
      retriesFailed: counter("output_retries_failed_total", "Number of payloads given up"),
      retriedRecords: counter("output_retried_records_total", "Number of records retried"),
      droppedRecords: counter("output_dropped_records_total", "Number of records dropped"),
      deadLetteredRecords: counter(
        "output_dead_lettered_records_total",
        "Number of records kept as dead letters",
      ),
      diskErrors: counter(
        "output_queue_disk_errors_total",
        "Number of times that the disk refused something to the queue",
      ),
      queuedBytes: gauge("output_queue_bytes", "Bytes that wait for the output"),
      queuedRecords: gauge("output_queue_records", "Records that wait for the output"),
      drop: (reason: string) => this.dropped("output", id, reason),
    };
  }

  /** See the engine's `Book`. */
  book(kind: string, id: string) {
    const entry = (name: string) =>
      this.registry.gauge(
        "books_records",
        "Records by what became of them: in + recovered + copied = all others together",
        { kind, name: id, entry: name },
      );
    return {
      in: entry("in"),
      recovered: entry("recovered"),
      copied: entry("copied"),
      delivered: entry("delivered"),
      filtered: entry("filtered"),
      dropped: entry("dropped"),
      dead_lettered: entry("dead_lettered"),
      held: entry("held"),
    };
  }

  private dropped(kind: string, id: string, reason: string): Sample {
    return this.registry.counter(
      "dropped_records_total",
      "Number of records dropped, by who dropped them and why",
      { kind, name: id, reason },
    );
  }
}
