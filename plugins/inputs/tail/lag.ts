import type { Gauge, PluginMetrics } from "logcollector/plugin";
import type { TailedFile } from "./tailed-file.ts";

const NAME = "input_file_lag_bytes";

/** How far each file's reading is behind its end, as a metric per file. */
export class LagMetrics {
  private readonly metrics: PluginMetrics;
  private readonly gauges = new Map<string, { gauge: Gauge; offset: number }>();

  constructor(metrics: PluginMetrics) {
    this.metrics = metrics;
  }

  /** Asks the file only when it was read since the last time: a file at rest costs nothing. */
  update(file: TailedFile): void {
    const known = this.gauges.get(file.path);
    if (known !== undefined && known.offset === file.offset && known.gauge.value === 0) return;
    const gauge = known?.gauge ??
      this.metrics.gauge(NAME, "Bytes of the file that were not read yet", { file: file.path });
    gauge.value = file.lag;
    this.gauges.set(file.path, { gauge, offset: file.offset });
  }

  remove(path: string): void {
    if (this.gauges.delete(path)) this.metrics.remove(NAME, { file: path });
  }
}
