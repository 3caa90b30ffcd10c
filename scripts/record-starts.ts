// Records which functions a start of the collector runs, for the executable's layout: `npm run record-starts`, when starts
// have become slower. What it writes holds hashes of their syntax, so that it goes on to fit what has not changed.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compile, STARTS, writeEmbedded } from "./compile.ts";

const LINES = 200;

const JSON_LINE =
  '{"time":"2026-01-02T03:04:05.678Z","level":"info","msg":"text","request_id":"a1"}\n';
const CRI_LINE = "2026-01-02T03:04:05.678901234Z stdout F text of a container\n";

/** The usual start first. */
const PIPELINES = [
  `pipeline:
  inputs:
    - { name: tail, tag: app, path: FOLDER/app.log, read_from_head: true }
  outputs:
    - { name: http, match: "*", host: 127.0.0.1, port: PORT, format: json_lines }
`,
  `parsers:
  - { name: app, format: json, time_key: time, time_format: "%Y-%m-%dT%H:%M:%S.%LZ" }
pipeline:
  inputs:
    - { name: tail, tag: raw, path: FOLDER/app.log, db: FOLDER/raw.db, read_from_head: true }
    - { name: tail, tag: app, path: FOLDER/app.log, parser: app, read_from_head: true }
    - { name: tail, tag: pod, path: FOLDER/pod.log, multiline.parser: cri, read_from_head: true }
  filters:
    - { name: grep, match: app, exclude: level ^none$ }
    - { name: modify, match: app, add: cluster one }
    - { name: nest, match: app, operation: nest, wildcard: request_*, nest_under: request }
  outputs:
    - { name: http, match: "*", host: 127.0.0.1, port: PORT, format: json_lines }
    - { name: file, match: "*", path: FOLDER, file: out.log }
    - { name: forward, match: "*", host: 127.0.0.1, port: FORWARD }
`,
];

/** Runs a pipeline until the server has got something, and returns the lines of the record that name functions. */
async function record(binary: string, folder: string, pipeline: string): Promise<string[]> {
  const { promise: arrived, resolve } = Promise.withResolvers<void>();
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    async fetch(request) {
      await request.arrayBuffer();
      resolve();
      return new Response();
    },
  });
  const forward = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  const config = join(folder, "config.yaml");
  const order = join(folder, "order");
  writeFileSync(
    config,
    `service: { flush: 0.1, log_level: error }\n${pipeline}`.replaceAll("FOLDER", folder)
      .replaceAll("PORT", `${server.port}`).replaceAll("FORWARD", `${forward.port}`),
  );
  const child = Bun.spawn([binary, "-c", config], {
    env: { ...process.env, BUN_BYTECODE_ORDER_OUT: order },
    stdio: ["ignore", "inherit", "inherit"],
  });
  await Promise.race([arrived, child.exited]);
  child.kill("SIGTERM");
  const status = await child.exited;
  await server.stop(true);
  forward.stop(true);
  if (status !== 0) throw new Error(`Cannot record a start: the collector ended with ${status}`);
  return readFileSync(order, "utf8").split("\n").filter((line) => line.startsWith("F "));
}

const folder = mkdtempSync(join(tmpdir(), "logcollector-starts-"));
try {
  mkdirSync("dist/embedded", { recursive: true });
  await writeEmbedded();
  const binary = join(folder, "logcollector");
  await compile({ outfile: binary, starts: null });
  writeFileSync(join(folder, "app.log"), JSON_LINE.repeat(LINES));
  writeFileSync(join(folder, "pod.log"), CRI_LINE.repeat(LINES));
  const functions = new Set<string>();
  for (const pipeline of PIPELINES) {
    for (const line of await record(binary, folder, pipeline)) functions.add(line);
  }
  writeFileSync(STARTS, ["v2", ...functions, ""].join("\n"));
  console.error(`${STARTS}: ${functions.size} functions`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
