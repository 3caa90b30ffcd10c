import { writeFileSync } from "node:fs";

export interface StartTask {
  readonly binary: string;
  readonly folder: string;
  readonly starts: number;
}

/**
 * Starts the collector again and again on a file with one line. Returns how long after each start the line was at an
 * HTTP server, in milliseconds. The flush interval is 0: how long records are gathered is no part of a start.
 */
export async function measureStarts({ binary, folder, starts }: StartTask): Promise<number[]> {
  let arrived = () => {};
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: async (request) => {
      const body = await request.text();
      if (body.includes("first line")) arrived();
      return new Response();
    },
  });
  const config = `${folder}/config.yaml`;
  writeFileSync(`${folder}/app.log`, "first line\n");
  writeFileSync(
    config,
    `service: { flush: 0, log_level: error }
pipeline:
  inputs:
    - { name: tail, tag: bench, path: ${folder}/app.log, read_from_head: true }
  outputs:
    - { name: http, match: "*", host: 127.0.0.1, port: ${server.port}, uri: /, format: json_lines }
`,
  );
  const times: number[] = [];
  try {
    // One more, which brings the executable into memory.
    for (let i = 0; i <= starts; i++) {
      const { promise, resolve } = Promise.withResolvers<void>();
      arrived = resolve;
      const startMs = performance.now();
      const child = Bun.spawn([binary, "-c", config], { stdin: "ignore", stdout: "ignore" });
      const ended = child.exited.then((status) => {
        throw new Error(`Cannot measure ${binary}: it ended with status ${status}`);
      });
      ended.catch(() => {});
      await Promise.race([promise, ended]);
      if (i > 0) times.push(performance.now() - startMs);
      child.kill("SIGTERM");
      await child.exited;
    }
  } finally {
    await server.stop(true);
  }
  return times;
}
