import { expect } from "bun:test";
import { basename } from "node:path";
import { type ContainerLog, NodeLogs, type Runtime } from "../support/kubelet-logs.ts";
import { FileCollector, type FilePipeline } from "./file-collector.ts";

/** The tag that `kube.*` gives where the logs lie on a node. */
const TAG = { tag: "kube.var.log.containers.<name>", tag_regex: "(?<name>[^/]+)$" };
/** Every record says under which tag it came. */
const NOTE_TAG = { name: "script", match: "*", code: "(record, { tag }) => ({ ...record, tag })" };

/** The program on a node: reads the containers' logs, as the manifests tell it to. */
export class NodeCollector extends FileCollector {
  readonly node: NodeLogs;

  constructor(
    runtime: Runtime = "cri",
    options: Readonly<Record<string, unknown>> = {},
    { filters = [], ...more }: FilePipeline = {},
  ) {
    super(
      "var/log/containers/*.log",
      { ...TAG, "multiline.parser": "docker, cri", path_key: "file", ...options },
      {},
      {
        service: { "scheduler.base": 0.05, "scheduler.cap": 0.1 },
        ...more,
        filters: [...filters, NOTE_TAG],
      },
    );
    this.node = new NodeLogs(this.at(""), runtime);
  }

  /** Waits for all lines of the containers and stops: each line came once, in its stream's order, as its container's. */
  async expectAllOf(containers: readonly ContainerLog[]): Promise<void> {
    const total = containers.reduce(
      (sum, { written: { stdout, stderr } }) => sum + stdout.length + stderr.length,
      0,
    );
    await this.untilLines(total);
    await this.stop();
    expect(this.problemsWith(containers)).toEqual([]);
  }

  /** Which streams did not come as they were written. */
  problemsWith(containers: readonly ContainerLog[]): string[] {
    const came = Map.groupBy(this.records, ({ file, stream }) => `${file} ${stream}`);
    const problems: string[] = [];
    for (const { link, written } of containers) {
      for (const [stream, lines] of Object.entries(written)) {
        const records = came.get(`${link} ${stream}`) ?? [];
        came.delete(`${link} ${stream}`);
        const texts = records.map(({ log }) => String(log).replace(/\n$/, ""));
        if (!Bun.deepEquals(texts, lines)) {
          const at = lines.findIndex((line, i) => texts[i] !== line);
          problems.push(
            `${link} ${stream}: ${texts.length} of ${lines.length} came; at ${at} ` +
              `${texts[at]?.slice(0, 80)} in the place of ${lines[at]?.slice(0, 80)}`,
          );
        }
        const tag = `kube.var.log.containers.${basename(link)}`;
        if (records.some((record) => record["tag"] !== tag)) problems.push(`${link}: another tag`);
      }
    }
    return [...problems, ...came.keys().map((key) => `nobody wrote ${key}`)];
  }
}
