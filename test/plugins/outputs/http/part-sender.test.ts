import { afterEach, describe, expect, test } from "bun:test";
import { Batch, type Body, PartialError, type Payload, PermanentError } from "logcollector/plugin";
import { Packr } from "msgpackr";
import { gunzipSync, zstdDecompressSync } from "node:zlib";
import http from "../../../../plugins/outputs/http.ts";
import { Random } from "../../../support/random.ts";
import { startServer, stopServers, type TestServer } from "../http-server.ts";
import { driveOutput, type OutputDriver, record } from "../output-driver.ts";

const driven: OutputDriver[] = [];
afterEach(async () => {
  for (const { output } of driven.splice(0)) await output.close?.();
  stopServers();
});

const FORMATS = ["json", "json_stream", "json_lines", "msgpack", "gelf"] as const;
const COMPRESSIONS = [undefined, "gzip", "zstd"] as const;
type Format = typeof FORMATS[number];
type Compression = typeof COMPRESSIONS[number];

function unpack(body: Buffer, compression: Compression): Buffer {
  if (compression === undefined) return body;
  return compression === "gzip" ? gunzipSync(body) : zstdDecompressSync(body);
}

/** The numbers of the records in a body. */
function numbersIn(body: Buffer, format: Format): number[] {
  const text = body.toString();
  if (format === "json") return JSON.parse(text).map(({ n }: { n: number }) => n);
  if (format === "json_lines" || format === "gelf") {
    return text.trimEnd().split("\n").map((line) => JSON.parse(line)).map(({ n, _n }) => n ?? _n);
  }
  if (format === "json_stream") return [...text.matchAll(/"n":(\d+)/g)].map(([, n]) => Number(n));
  const events = new Packr({ useRecords: false }).unpackMultiple(body) as [unknown, Body][];
  return events.map(([, { n }]) => n as number);
}

/** A server that takes bodies up to a limit, and says no in other ways now and then. */
class LimitedServer {
  readonly taken: number[] = [];
  requests = 0;
  limit = Infinity;
  /** Status in place of 200, undefined for 200. */
  trouble: () => number | undefined = () => undefined;
  private server: TestServer | undefined;

  async start(format: Format, compression: Compression): Promise<number> {
    this.server = await startServer((response, { body }) => {
      this.requests++;
      const status = body.length > this.limit ? 413 : this.trouble() ?? 200;
      if (status === 200) {
        this.taken.push(...numbersIn(unpack(body, compression), format));
      }
      response.writeHead(status).end();
    });
    return this.server.port;
  }
}

async function setUp(format: Format, compression?: Compression) {
  const server = new LimitedServer();
  const port = await server.start(format, compression);
  const output = driveOutput(http, {
    "net.proxy_env_ignore": "on",
    port,
    format,
    ...(compression && { compress: compression }),
  });
  driven.push(output);
  return { server, output };
}

/** Sends as the engine does, until nothing is left. Returns the number of records that were refused. */
async function deliver(output: OutputDriver, payload: Payload): Promise<number> {
  let { bytes, records } = payload;
  let refused = 0;
  for (let attempt = 1; records > 0; attempt++) {
    if (attempt > 1000) throw new Error("does not come to an end");
    try {
      await output.send({ ...payload, bytes, records, attempt });
      break;
    } catch (error) {
      if (error instanceof PermanentError) return refused + records;
      if (!(error instanceof PartialError)) continue;
      refused += error.refused;
      ({ remaining: bytes, records } = error);
    }
  }
  return refused;
}

function numbered(from: number, sizes: readonly number[], fill: () => string = () => "x"): Batch {
  return Batch.of(
    "app.web",
    sizes.map((size, i) =>
      record({ n: from + i, short_message: Array.from({ length: size }, fill).join("") })
    ),
  );
}

async function lengthAlone(output: OutputDriver, batch: Batch): Promise<number[]> {
  const lengths: number[] = [];
  for (const one of batch.records) {
    lengths.push((await output.encode(Batch.of(batch.tag, [one])))[0]!.bytes.length);
  }
  return lengths;
}

const upTo = (count: number) => Array.from({ length: count }, (_, i) => i);

describe("http and a server that finds a body too large", () => {
  for (const format of FORMATS) {
    for (const compression of COMPRESSIONS) {
      test(`deliver every record once and in order as ${format}, ${compression ?? "plain"}`, async () => {
        const seed = Date.now() >>> 0;
        const random = new Random(seed);
        const { server, output } = await setUp(format, compression);
        for (let run = 0; run < 6; run++) {
          const sizes = Array.from(
            { length: 1 + random.below(60) },
            () => random.below(random.pick([2, 50, 3000])),
          );
          // Texts that compress badly, and with what looks like the ends of records.
          const letters = 'abcdefgh{}[]",\\\n';
          const batch = numbered(0, sizes, () => letters[random.below(letters.length)]!);
          const alone = await lengthAlone(output, batch);
          const limit = random.pick([...alone, Math.max(...alone), 2 * Math.max(...alone)]);
          server.limit = limit;
          const failures = random.pick([0, 0.3]);
          server.trouble = () => random.next() < failures ? 503 : undefined;
          server.taken.length = 0;
          const [payload] = await output.encode(batch);
          const refused = await deliver(output, payload!);
          const expected = upTo(sizes.length).filter((i) => alone[i]! <= limit);
          const what = `seed ${seed}, run ${run}`;
          expect([what, server.taken]).toEqual([what, expected]);
          expect([what, refused]).toEqual([what, sizes.length - expected.length]);
        }
      });
    }
  }

  test("send exactly what was not taken again, after the pause that was asked for", async () => {
    const { server, output } = await setUp("json_lines");
    const [payload] = await output.encode(numbered(0, upTo(8).map(() => 100)));
    server.limit = 400;
    server.trouble = () => server.taken.length === 4 ? 429 : undefined;
    const error = await output.send(payload!).catch((thrown) => thrown) as PartialError;
    expect(error).toBeInstanceOf(PartialError);
    expect([error.records, error.refused]).toEqual([4, 0]);
    expect(numbersIn(Buffer.from(error.remaining), "json_lines")).toEqual([4, 5, 6, 7]);
    // The engine gives the payload's memory to others.
    payload!.bytes.fill(0);
    server.trouble = () => undefined;
    await output.send({ ...payload!, bytes: error.remaining, records: 4 });
    expect(server.taken).toEqual(upTo(8));
  });

  test("remember for ten minutes what was too large", async () => {
    const { server, output } = await setUp("json");
    const [payload] = await output.encode(numbered(100, upTo(64).map(() => 100)));
    server.limit = Math.ceil(payload!.bytes.length / 3);
    const requests = async () => {
      const before = server.requests;
      expect(await deliver(output, payload!)).toBe(0);
      return server.requests - before;
    };
    // The whole and a half of it are refused, then there are four quarters.
    expect(await requests()).toBe(2 + 4);
    expect(await requests()).toBe(4);
    output.ctx.clock.advance(600_000);
    server.limit = Infinity;
    expect(await requests()).toBe(1);
    const all = upTo(64).map((i) => 100 + i);
    expect(server.taken).toEqual([...all, ...all, ...all]);
  });

  test("do not ask about every record when none is small enough", async () => {
    const { server, output } = await setUp("json_lines");
    server.limit = 0;
    const [payload] = await output.encode(numbered(0, upTo(1024).map(() => 100)));
    const error = await output.send(payload!).catch((thrown) => thrown);
    expect(error).toBeInstanceOf(PermanentError);
    expect(error.message).toEndWith("status is 413");
    // Records with shorter numbers are a little smaller, so they are asked about.
    expect(server.requests).toBeLessThan(20);
    // Nothing was taken, so nothing is known.
    server.limit = Infinity;
    await output.send(payload!);
    expect(server.taken).toEqual(upTo(1024));
  });

  test("leave small records together around one that is too large", async () => {
    const { server, output } = await setUp("json_lines");
    const sizes = upTo(100).map((i) => i === 50 ? 50_000 : 10);
    const [payload] = await output.encode(numbered(0, sizes));
    server.limit = 10_000;
    expect(await deliver(output, payload!)).toBe(1);
    expect(server.taken).toEqual(upTo(100).filter((i) => i !== 50));
    expect(server.requests).toBeLessThan(20);
  });

  test("lose only the part that the server refuses for another reason", async () => {
    const { server, output } = await setUp("json_lines");
    const [payload] = await output.encode(numbered(0, upTo(8).map(() => 100)));
    server.limit = 400;
    server.trouble = () => server.requests === 5 ? 400 : undefined;
    const error = await output.send(payload!).catch((thrown) => thrown);
    expect(error).toMatchObject({ name: "PartialError", records: 0, refused: 2 });
    expect(error.message).toEndWith("status is 400");
    expect(server.taken).toEqual([0, 1, 2, 3, 6, 7]);
  });
});
