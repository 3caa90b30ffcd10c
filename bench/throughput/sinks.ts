import { rmSync } from "node:fs";
import { countFileLines } from "../count-file-lines.ts";
import { ForwardSink } from "../forward-sink.ts";
import type { BenchPipeline, ConfigTarget } from "../pipelines.ts";

/** What Elasticsearch says of a record that it took. */
const BULK_ITEM = '{"create":{"_index":"fluent-bit","_id":"CZ6zEqIBN9NIEnwkobVF","_version":1,' +
  '"result":"created","_shards":{"total":2,"successful":1,"failed":0},"_seq_no":12345,' +
  '"_primary_term":1,"status":201}}';

/** Where the measured pipelines send to: each counts the records that arrive. */
export class Sinks {
  private readonly outFile: string;
  private readonly stateFolder: string;
  private readonly forward = new ForwardSink();
  private readonly http: Bun.Server<undefined>;
  private posted = 0;

  constructor(folder: string) {
    this.outFile = `${folder}/out.log`;
    this.stateFolder = `${folder}/state`;
    this.http = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      maxRequestBodySize: 64 * 1024 * 1024,
      fetch: (request) => this.take(request),
    });
  }

  /** What a configuration that reads `source` has to name. */
  targetFor(source: string): ConfigTarget {
    return {
      source,
      outFile: this.outFile,
      httpPort: this.http.port!,
      forwardPort: this.forward.port,
      stateFolder: this.stateFolder,
    };
  }

  /** Forgets what an earlier run sent. */
  reset(): void {
    rmSync(this.outFile, { force: true });
    rmSync(this.stateFolder, { recursive: true, force: true });
    this.posted = 0;
    this.forward.received = 0;
  }

  /** The records that arrived at a pipeline's end; undefined where that is nowhere. */
  async delivered({ sink }: BenchPipeline, expected: number): Promise<number | undefined> {
    switch (sink) {
      case "null":
        return undefined;
      case "file":
        return await countFileLines(this.outFile);
      case "forward":
        return await this.forward.until(expected);
      case "http":
      case "es":
        return this.posted;
    }
  }

  async stop(): Promise<void> {
    await this.http.stop(true);
    this.forward.stop();
  }

  private async take(request: Request): Promise<Response> {
    const body = await request.bytes();
    const isPacked = request.headers.get("content-encoding") === "gzip";
    const lines = countLines(isPacked ? Bun.gunzipSync(new Uint8Array(body)) : body);
    if (!request.url.endsWith("/_bulk")) {
      this.posted += lines;
      return new Response("ok");
    }
    this.posted += lines / 2;
    const items = Array.from({ length: lines / 2 }, () => BULK_ITEM).join();
    return new Response(`{"took":30,"errors":false,"items":[${items}]}`);
  }
}

function countLines(bytes: Uint8Array): number {
  let lines = bytes.length > 0 && bytes.at(-1) !== 10 ? 1 : 0;
  for (let at = bytes.indexOf(10); at !== -1; at = bytes.indexOf(10, at + 1)) lines++;
  return lines;
}
