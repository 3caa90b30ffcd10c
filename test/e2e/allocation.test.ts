import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { generateFile } from "../../bench/generate.ts";
import { configFor, PIPELINES } from "../../bench/pipelines.ts";
import { Collector } from "../support/binary.ts";
import { TempFolder } from "../support/temp-folder.ts";

setDefaultTimeout(120_000);

/**
 * Bytes that the runtime may allocate for a record, with the buffers that hold what goes out. Half a dozen runs on a busy
 * machine gave 30 to 240 where records stay bytes, and 1230 to 1360 where they become objects. A record that falls off
 * the fast way takes a thousand.
 */
const LIMITS: Readonly<Record<string, number>> = {
  "raw → file": 500,
  "JSON → file": 500,
  "CRI multiline → file": 500,
  "Apache regex → file": 500,
  "JSON → grep, modify, nest → file": 500,
  "JSON → script → file": 1550,
};
const FEW = 50_000;
const MANY = 350_000;

/** Compiles at once, and collects at once: so that a run repeats. */
const RUNTIME = {
  BUN_JSC_logGC: "1",
  BUN_JSC_useConcurrentJIT: "0",
  BUN_JSC_useConcurrentGC: "0",
};

/** The sum of what was added to the heap between the collections that the runtime tells of. */
function allocated(log: string): number {
  let sum = 0;
  let kept = 0;
  for (const match of log.matchAll(/START M (\d+)kb => \w+Collection.*?=> (\d+)kb/g)) {
    sum += Number(match[1]) - kept;
    kept = Number(match[2]);
  }
  expect(kept).toBeGreaterThan(0);
  return sum * 1024;
}

describe("what a record costs", () => {
  for (const [name, limit] of Object.entries(LIMITS)) {
    test(`${name}: less than ${limit} bytes of the heap`, async () => {
      using folder = new TempFolder();
      const pipeline = PIPELINES.find((each) => each.name === name)!;
      const run = async (lines: number): Promise<number> => {
        const source = folder.at(`${lines}.log`);
        await generateFile(source, pipeline.kind, lines);
        const outFile = folder.at(`${lines}.out`);
        const target = {
          source,
          outFile,
          httpPort: 1,
          forwardPort: 1,
          stateFolder: folder.at("s"),
        };
        writeFileSync(folder.at("config.yaml"), configFor(pipeline, target));
        const collector = await Collector.run(["-c", folder.at("config.yaml")], { env: RUNTIME });
        expect(collector.status).toBe(0);
        const written = await Bun.file(outFile).text();
        expect(written.split("\n").length - 1).toBe(Math.round(lines * pipeline.recordsPerLine));
        return allocated(collector.stderr + collector.stdout);
      };
      const records = (MANY - FEW) * pipeline.recordsPerLine;
      expect((await run(MANY) - await run(FEW)) / records).toBeLessThan(limit);
    });
  }
});
