import { appendFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Collector } from "../support/binary.ts";
import type { KubeApi } from "../support/kube-api.ts";
import { TempFolder } from "../support/temp-folder.ts";

/** The rights that the filter needs. */
export const WATCH_PODS = {
  apiGroups: [""],
  resources: ["pods", "namespaces"],
  verbs: ["get", "list", "watch"],
};

export type Enriched = Readonly<Record<string, unknown>> & {
  readonly log: string;
  readonly kubernetes?: Readonly<Record<string, unknown>>;
  readonly kubernetes_namespace?: Readonly<Record<string, unknown>>;
};

/** An id of a container. */
export const containerId = (digit: string): string => digit.repeat(64);

/** The log of one container. */
export interface ContainerLog {
  readonly namespace?: string;
  readonly pod: string;
  readonly container?: string;
  readonly id: string;
}

/** A node's log files and a collector that reads them, with a filter `kubernetes` that has these options. */
export class Node implements AsyncDisposable {
  readonly folder = new TempFolder();
  private readonly logs = this.folder.at("containers");
  private started: Collector | undefined;

  constructor() {
    mkdirSync(this.logs);
  }

  get collector(): Collector {
    return this.started!;
  }

  /** Starts the collector with the token of this account. */
  async start(
    api: KubeApi,
    account: string,
    options: Readonly<Record<string, unknown>> = {},
    env: Readonly<Record<string, string>> = { NODE_NAME: "node-1" },
  ): Promise<void> {
    this.setToken(await api.token(account));
    await this.startWith({
      kube_url: api.url,
      kube_ca_file: api.caFile,
      kube_token_file: this.tokenFile,
      ...options,
    }, env);
  }

  async startWith(
    options: Readonly<Record<string, unknown>>,
    env: Readonly<Record<string, string>> = {},
  ): Promise<void> {
    const config = {
      service: { flush: 0.05, http_server: "on", http_port: 0 },
      pipeline: {
        inputs: [{
          name: "tail",
          path: join(this.logs, "*.log"),
          tag: "kube.*",
          "multiline.parser": "cri",
          read_from_head: "on",
        }],
        filters: [{
          name: "kubernetes",
          match: "*",
          kube_tag_prefix: `kube.${this.logs.slice(1).replaceAll("/", ".")}.`,
          ...options,
        }],
        outputs: [{ name: "stdout", match: "*", format: "json_lines" }],
      },
    };
    const path = this.folder.at("config.yaml");
    writeFileSync(path, JSON.stringify(config));
    this.started = new Collector(["-c", path], { env });
    await this.started.untilLog("started");
  }

  get tokenFile(): string {
    return this.folder.at("token");
  }

  setToken(token: string): void {
    writeFileSync(this.tokenFile, token);
  }

  /** A container writes these lines, now or at another time. */
  write(
    { namespace = "default", pod, container = "app", id }: ContainerLog,
    lines: readonly string[],
    { stream = "stdout", time = new Date() }: { stream?: string; time?: Date } = {},
  ): void {
    const text = lines.map((line) => `${time.toISOString()} ${stream} F ${line}\n`).join("");
    appendFileSync(join(this.logs, `${pod}_${namespace}_${container}-${id}.log`), text);
  }

  get records(): readonly Enriched[] {
    return this.collector.records as Enriched[];
  }

  /** The record with this text, once it is there. */
  async record(log: string): Promise<Enriched> {
    const find = () => this.records.find((record) => record.log === log);
    await this.collector.until(() => find() !== undefined, `a record "${log}"`);
    return find()!;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.started?.[Symbol.asyncDispose]();
    this.folder[Symbol.dispose]();
  }
}
