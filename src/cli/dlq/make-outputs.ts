import { problemOf } from "../../config/problem-of.ts";
import { formatProblem } from "../../config/problem.ts";
import { encodeForSimpleOutput } from "../../engine/simple-output.ts";
import type { OutputSpec, PipelineServices } from "../../engine/spec.ts";
import { systemClock } from "../../lib/clock.ts";
import { type EncodedOutput, isEncodedOutput } from "../../sdk/define.ts";
import { prepare } from "../../sdk/preparable.ts";
import type { LogSink } from "../../telemetry/logger.ts";
import { MetricsRegistry } from "../../telemetry/metrics.ts";
import { PipelineMetrics } from "../../telemetry/plugin-metrics.ts";
import type { LoadedRun } from "../load-run.ts";
import { parserRegistry } from "../parser-registry.ts";
import { pipelineSpec } from "../pipeline-spec.ts";

/** An output without a pipeline around it. Nothing is opened yet. */
export interface MadeOutput {
  readonly id: string;
  readonly plugin: string;
  /** The form of its payloads. */
  readonly format: string;
  readonly output: EncodedOutput;
}

/** Makes outputs of a configuration by their ids. */
export class OutputMaker {
  private readonly loaded: LoadedRun;
  private readonly services: PipelineServices;
  private readonly specs: ReadonlyMap<string, OutputSpec>;

  constructor(loaded: LoadedRun, log: LogSink) {
    this.loaded = loaded;
    const parsers = parserRegistry(loaded, log.logger("parsers"));
    this.services = {
      clock: systemClock,
      log: (id) => log.logger(id),
      metrics: new PipelineMetrics(new MetricsRegistry()),
      onQuiet: () => undefined,
      openCheckpoints: () => undefined,
      parser: (name) => parsers.parser(name),
      multiline: (names) => parsers.multiline(names),
    };
    const { outputs } = pipelineSpec(loaded.config, this.services, undefined);
    this.specs = new Map(outputs.map((spec) => [spec.id, spec]));
  }

  get ids(): readonly string[] {
    return [...this.specs.keys()];
  }

  /** Rejects with a message for the user when the output is not there, or its plugin cannot be made. */
  async make(id: string): Promise<MadeOutput> {
    const spec = this.specs.get(id);
    if (spec === undefined) throw new Error(`there is no output "${id}" in the configuration`);
    const { clock, metrics, parser, multiline } = this.services;
    try {
      const made = spec.create({
        id,
        log: this.services.log(id, "output"),
        metrics: metrics.plugin(id),
        clock,
        parser,
        multiline,
        match: spec.match,
      });
      await prepare(made);
      const output = isEncodedOutput(made) ? made : encodeForSimpleOutput(made);
      return { id, plugin: spec.plugin, format: output.format ?? "", output };
    } catch (error) {
      const instance = this.loaded.config.outputs.find((each) => each.id === id)!;
      throw new Error(formatProblem(problemOf(instance, error)), { cause: error });
    }
  }
}
