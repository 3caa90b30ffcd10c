import { existsSync } from "node:fs";
import { join } from "node:path";
import { TempFolder } from "./temp-folder.ts";

/** Where `scripts/install-opensearch.sh` puts it. */
const FOLDER = join(import.meta.dir, "../../node_modules/.cache/opensearch");

/** Without it tests are skipped, as where there is no Java. */
export const HAS_OPENSEARCH: boolean = existsSync(join(FOLDER, "stamp"));

/** A small heap, a start that is quick, and code that is fast soon rather than later. */
const JAVA = ["java", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto"];

export interface Hit {
  readonly _index: string;
  readonly _id: string;
  readonly _source: Readonly<Record<string, unknown>>;
}

/** A real OpenSearch of one node, which takes two seconds to start and a quarter of a gigabyte. */
export class OpenSearch implements AsyncDisposable {
  readonly port: number;
  private readonly folder: TempFolder;
  private readonly process: Bun.Subprocess<"pipe", "pipe", "ignore">;

  private constructor(port: number, folder: TempFolder, process: OpenSearch["process"]) {
    this.port = port;
    this.folder = folder;
    this.process = process;
  }

  /** @param settings as in opensearch.yml, `key=value` */
  static async start(...settings: string[]): Promise<OpenSearch> {
    const folder = new TempFolder();
    await Bun.write(folder.at("config/opensearch.yml"), "");
    const classPath = `${join(FOLDER, "classes")}:${join(FOLDER, "lib/*")}`;
    const process = Bun.spawn([...JAVA, "-cp", classPath, "TestNode", folder.path, ...settings], {
      stdin: "pipe",
      stdout: "pipe",
      stderr: "ignore",
    });
    let output = "";
    for await (const part of process.stdout) {
      output += Buffer.from(part).toString();
      const port = /^port (\d+)$/m.exec(output)?.[1];
      if (port !== undefined) return new OpenSearch(Number(port), folder, process);
    }
    throw new Error(`Cannot start OpenSearch: it has ended, and said ${JSON.stringify(output)}`);
  }

  async request(method: string, path: string, body?: unknown): Promise<unknown> {
    const response = await fetch(`http://127.0.0.1:${this.port}/${path}`, {
      method,
      ...(body !== undefined && {
        body: JSON.stringify(body),
        headers: { "Content-Type": "application/json" },
      }),
    });
    const answer = await response.json();
    if (!response.ok) throw new Error(`${method} ${path}: ${JSON.stringify(answer)}`);
    return answer;
  }

  /** Makes an index with these types of fields. */
  async createIndex(name: string, types: Readonly<Record<string, string>>): Promise<void> {
    const properties = Object.fromEntries(
      Object.entries(types).map(([field, type]) => [field, { type }]),
    );
    const settings = { number_of_shards: 1, number_of_replicas: 0 };
    await this.request("PUT", name, { settings, mappings: { properties } });
  }

  /** Everything in these indices, in the order in which it was indexed. */
  async documents(indices: string): Promise<readonly Hit[]> {
    await this.request("POST", `${indices}/_refresh`);
    const query = { size: 10_000, sort: ["_doc"], query: { match_all: {} } };
    const found = await this.request("POST", `${indices}/_search`, query);
    return (found as { hits: { hits: Hit[] } }).hits.hits;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.process.stdin.end();
    await this.process.exited;
    this.folder[Symbol.dispose]();
  }
}
