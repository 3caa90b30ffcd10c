import { afterEach, describe, expect, test } from "bun:test";
import { PartialError, PermanentError, ThrottledError } from "logcollector/plugin";
import { gunzipSync, gzipSync } from "node:zlib";
import es from "../../../../plugins/outputs/es/mod.ts";
import { bulkAnswer, bulkRecords } from "../../../support/bulk-server.ts";
import { Random } from "../../../support/random.ts";
import { type Received, startServer, stopServers, type TestServer } from "../http-server.ts";
import { bodies, driveOutput, type OutputDriver } from "../output-driver.ts";

const driven: OutputDriver[] = [];
afterEach(async () => {
  for (const { output } of driven.splice(0)) await output.close?.();
  stopServers();
});

function drive(port: number, options: object = {}): OutputDriver {
  const driver = driveOutput(es, { port, "net.proxy_env_ignore": "on", ...options });
  driven.push(driver);
  return driver;
}

/** A server that gives these answers in turn, and the last one ever after. */
function answering(...answers: (string | number)[]): Promise<TestServer> {
  let next = 0;
  return startServer((response) => {
    const answer = answers[Math.min(next++, answers.length - 1)]!;
    if (typeof answer === "number") response.writeHead(answer).end();
    else response.end(answer);
  });
}

const numbersOf = (bytes: Uint8Array) => bulkRecords(bytes).map(({ doc }) => doc["n"] as number);
const numbered = (count: number) => bodies(...Array.from({ length: count }, (_, n) => ({ n })));
const outcome = (work: Promise<void>): Promise<Error | undefined> =>
  work.then(() => undefined, (error: Error) => error);

async function outcomeOf(answer: string | number, records = 3, options: object = {}) {
  const server = await answering(answer);
  return await outcome(drive(server.port, options).write(numbered(records)));
}

const MIXED = [201, 400, 409, 429, 200, 503, 404, 500];

describe.each([undefined, "gzip"])("compressed with %s,", (compress) => {
  const options = compress === undefined ? {} : { compress };
  const unpack = (bytes: Uint8Array) => compress === undefined ? bytes : gunzipSync(bytes);

  test("fault 46: only 429 and 5xx are sent again, 409 is well, 400 is refused", async () => {
    const server = await answering(
      bulkAnswer(MIXED),
      bulkAnswer([201, 429, 201]),
      bulkAnswer([201]),
    );
    const driver = drive(server.port, options);
    const [payload] = await driver.encode(numbered(MIXED.length));
    let { records, bytes } = payload!;
    const errors: PartialError[] = [];
    for (let error = await outcome(driver.send(payload!)); error !== undefined;) {
      expect(error).toBeInstanceOf(PartialError);
      errors.push(error as PartialError);
      ({ records, remaining: bytes } = error as PartialError);
      error = await outcome(driver.send({ ...payload!, bytes, records }));
    }
    expect(server.received.map(({ body }) => numbersOf(unpack(body)))).toEqual([
      [0, 1, 2, 3, 4, 5, 6, 7],
      [3, 5, 7],
      [5],
    ]);
    expect(errors.map(({ records, refused }) => [records, refused])).toEqual([[3, 2], [1, 0]]);
    const parts = errors[0]!.refusedParts;
    expect(parts.map(({ bytes, records }) => [records, numbersOf(unpack(bytes))])).toEqual([
      [1, [1]],
      [1, [6]],
    ]);
    const target = `Cannot post to 127.0.0.1:${server.port}/_bulk`;
    expect(parts.map(({ message }) => message)).toEqual([
      `${target}: status is 400, mapper_parsing_exception: the reason of 400`,
      `${target}: status is 404, some_exception: the reason of 404`,
    ]);
    expect(errors[0]!.message).toBe(
      `${target}: of 8 records 2 refused, status is 400, mapper_parsing_exception: the reason of 400; ` +
        "3 not taken, status is 429, es_rejected_execution_exception: the reason of 429",
    );
  });

  test("what is left survives the payload's memory", async () => {
    const server = await answering(bulkAnswer([201, 429, 400]));
    const driver = drive(server.port, options);
    const [payload] = await driver.encode(numbered(3));
    const error = await outcome(driver.send(payload!)) as PartialError;
    payload!.bytes.fill(0);
    expect(numbersOf(unpack(error.remaining))).toEqual([1]);
    expect(numbersOf(unpack(error.refusedParts[0]!.bytes))).toEqual([2]);
  });

  test("a body that is sent in parts loses nothing when a part is taken in part", async () => {
    const taken: number[] = [];
    const random = new Random(46);
    const server = await startServer((response, { body }) => {
      const numbers = numbersOf(unpack(body));
      if (numbers.length > 5) return void response.writeHead(413).end();
      const items = numbers.map((n) => n % 10 === 4 ? 400 : random.pick([201, 201, 429, 503]));
      taken.push(...numbers.filter((_, i) => items[i] === 201));
      response.end(bulkAnswer(items));
    });
    const driver = drive(server.port, options);
    const [payload] = await driver.encode(numbered(40));
    const refused: number[] = [];
    let { records, bytes } = payload!;
    for (let attempt = 1; records > 0; attempt++) {
      expect(attempt).toBeLessThan(200);
      const error = await outcome(driver.send({ ...payload!, bytes, records }));
      if (error === undefined) break;
      if (!(error instanceof PartialError)) {
        if (!(error instanceof PermanentError)) continue;
        refused.push(...numbersOf(unpack(bytes)));
        break;
      }
      const parts = error.refusedParts.flatMap(({ bytes }) => numbersOf(unpack(bytes)));
      expect(parts).toHaveLength(error.refused);
      refused.push(...parts);
      ({ records, remaining: bytes } = error);
      if (records > 0) expect(numbersOf(unpack(bytes))).toHaveLength(records);
    }
    expect(refused.toSorted((a, b) => a - b)).toEqual([4, 14, 24, 34]);
    const all = [...taken, ...refused].toSorted((a, b) => a - b);
    expect(all).toEqual(Array.from({ length: 40 }, (_, n) => n));
  });
});

test.each([
  ["all refused for one reason", [400, 400, 400], PermanentError, /of 3 records 3 refused/],
  ["all to be sent again", [429, 503, 500], Error, /of 3 records 3 not taken, status is 429/],
])("when %s the payload stays whole", async (_, items, kind, message) => {
  const error = await outcomeOf(bulkAnswer(items));
  expect(error?.constructor).toBe(kind);
  expect(error?.message).toMatch(message);
});

test("an update that was overtaken is sent again", async () => {
  const options = { write_operation: "update", generate_id: "on" };
  const error = await outcomeOf(bulkAnswer([200, 409, 200], "update"), 3, options) as PartialError;
  expect([error.records, error.refused]).toEqual([1, 0]);
});

test("a bad record in every other place makes few letters", async () => {
  const items = Array.from({ length: 1000 }, (_, i) => ({
    status: i % 2 === 0 ? 201 : 400,
    type: `kind_${i % 60}`,
    reason: `value ${i}`,
  }));
  const error = await outcomeOf(bulkAnswer(items), 1000) as PartialError;
  expect(error.refusedParts).toHaveLength(20);
  expect(error.refusedParts.reduce((sum, { records }) => sum + records, 0)).toBe(500);
  const refused = error.refusedParts.flatMap(({ bytes }) => numbersOf(bytes));
  expect(refused.toSorted((a, b) => a - b)).toEqual(
    Array.from({ length: 500 }, (_, i) => 2 * i + 1),
  );
});

const OK = bulkAnswer([201, 201, 201]);
test.each([
  ["empty", ""],
  ["no JSON", "<html>Welcome to this network</html>"],
  ["cut", OK.slice(0, -1)],
  ["cut in an item", OK.slice(0, 100)],
  ["of another kind", "[]"],
  ["null", "null"],
  ["without items", '{"took":1,"errors":false}'],
  ["with other items", '{"took":1,"errors":false,"items":{"0":1}}'],
  ["without errors and items", '{"took":1,"errors":false,"items":[]}'],
  ["short of an item", bulkAnswer([201, 201])],
  ["short of an item that failed", bulkAnswer([201, 400])],
  ["with an item too many", bulkAnswer([201, 201, 201, 201])],
  ["twice", OK + OK],
])("an answer that is %s counts for nothing: all is sent again", async (_, answer) => {
  const error = await outcomeOf(answer);
  expect(error?.constructor).toBe(Error);
  expect(error?.message).toMatch(/^Cannot post to \S+\/_bulk: the answer /);
});

test.each([
  ["no status", '{"create":{"_index":"a"}}'],
  ["a status that is text", '{"create":{"status":"201"}}'],
  ["nothing", "{}"],
  ["null", "null"],
  ["a number", "201"],
  ["no object", '{"create":201}'],
  ["a status only deeper", '{"create":{"x":{"status":201}}}'],
  ["a status only in a text", '{"create":{"_id":"\\"status\\":201"}}'],
])("an item with %s does not count as taken, the others do", async (_, item) => {
  const ok = '{"create":{"status":201}}';
  const answer = `{"took":1,"errors":false,"items":[${ok},${item},${ok}]}`;
  const error = await outcomeOf(answer) as PartialError;
  expect(error).toBeInstanceOf(PartialError);
  expect([numbersOf(error.remaining), error.refused]).toEqual([[1], 0]);
  expect(error.message).toContain("the answer does not say what became of it");
});

test("items that failed are seen although the answer says that none has", async () => {
  const answer = bulkAnswer([201, 400, 429]).replace('"errors":true', '"errors":false');
  const error = await outcomeOf(answer) as PartialError;
  expect([numbersOf(error.remaining), error.refused]).toEqual([[2], 1]);
});

test.each([
  [400, PermanentError],
  [401, PermanentError],
  [403, PermanentError],
  [408, Error],
  [429, Error],
  [500, Error],
  [503, Error],
  [302, Error],
])("a status of %d for the whole means what it does elsewhere", async (status, kind) => {
  expect((await outcomeOf(status))?.constructor).toBe(kind);
});

test("a pause that is asked for is passed on", async () => {
  const server = await startServer((response) =>
    void response.writeHead(429, { "Retry-After": "7" }).end()
  );
  const error = await outcome(drive(server.port).write(numbered(1))) as ThrottledError;
  expect([error.constructor, error.retryAfterMs]).toEqual([ThrottledError, 7000]);
});

test("words of the server cannot break a message apart", async () => {
  const reason = `a\nb\u001b[31m\u0000${"x".repeat(1000)}`;
  const error = await outcomeOf(bulkAnswer([{ status: 400, reason }]), 1);
  expect(error?.message).toMatch(/: a b\\x1b\[31m\\x00x+…$/);
});

test("what has caused an error is said, and old servers' texts are too", async () => {
  const error = { type: "t", reason: "r", caused_by: { type: "u", reason: "s", caused_by: {} } };
  const item = (of: unknown) => JSON.stringify({ create: { status: 400, error: of } });
  const answerOf = (of: unknown) => `{"took":1,"errors":true,"items":[${item(of)}]}`;
  expect((await outcomeOf(answerOf(error), 1))?.message).toEndWith("400, t: r, because: s");
  expect((await outcomeOf(answerOf("OldException[x]"), 1))?.message).toEndWith(
    "status is 400: OldException[x]",
  );
});

describe("fault 47: an answer that is longer than any", () => {
  const filler = (length: number) => `"${"x".repeat(length)}"`;
  /** Records of which the first few fit into what is read. */
  const long = (statuses: number[]) =>
    `{"took":1,"errors":${statuses.some((s) => s >= 300)},"items":[${
      statuses.map((status) => `{"create":{"_id":${filler(1 << 20)},"status":${status}}}`).join()
    }]}`;

  test("says nothing bad when it begins with saying so", async () => {
    expect(await outcomeOf(long([201, 201, 201, 201]), 4)).toBeUndefined();
  });

  test("decides about the records that it gets to, and the others are sent again", async () => {
    const options = { buffer_size: "2500K" };
    const error = await outcomeOf(long([201, 400, 201, 201]), 4, options) as PartialError;
    expect(error.refusedParts.map(({ bytes }) => numbersOf(bytes))).toEqual([[1]]);
    expect(numbersOf(error.remaining)).toEqual([2, 3]);
  });

  test.each([
    ["without items", `{"x":${filler(2 << 20)}}`],
    ["with an item that does not fit", long([400])],
    ["of zeros, packed", gzipSync(Buffer.alloc(64 << 20)).toString("latin1")],
  ])("is not believed %s", async (_, answer) => {
    expect((await outcomeOf(answer, 1))?.constructor).toBe(Error);
  });

  test("is read as far as the errors of all records may be long", async () => {
    const items = Array.from({ length: 1000 }, () => ({ status: 400, reason: "x".repeat(3000) }));
    const error = await outcomeOf(bulkAnswer(items), 1000);
    expect(error).toBeInstanceOf(PermanentError);
    expect(error?.message).toContain("of 1000 records 1000 refused");
  });
});

describe("the request", () => {
  async function requestOf(options: object): Promise<Received> {
    const server = await answering(bulkAnswer([201]));
    await drive(server.port, options).write(numbered(1));
    return server.received[0]!;
  }

  test.each([
    [{}, "/_bulk"],
    [{ path: "/search" }, "/search/_bulk"],
    [{ path: "search/" }, "/search/_bulk"],
    [{ pipeline: "a&b c" }, "/_bulk?pipeline=a%26b%20c"],
    [{ path: "/x", pipeline: "p" }, "/x/_bulk?pipeline=p"],
  ])("goes with %j to %s", async (options, url) => {
    const request = await requestOf(options);
    expect([request.method, request.url]).toEqual(["POST", url]);
  });

  test("says what it is", async () => {
    const { headers } = await requestOf({});
    expect(headers).toMatchObject({
      "content-type": "application/x-ndjson",
      "accept-encoding": "identity",
      "user-agent": "Fluent-Bit",
    });
    expect(headers.authorization).toBeUndefined();
    expect((await requestOf({ compress: "gzip" })).headers["content-encoding"]).toBe("gzip");
  });

  const basic = (text: string) => `Basic ${Buffer.from(text).toString("base64")}`;
  test.each([
    [{ http_user: "u", http_passwd: "p" }, basic("u:p")],
    [{ http_user: "u" }, basic("u:")],
    [{ http_api_key: "a2V5" }, "ApiKey a2V5"],
    [{ cloud_auth: "elastic:p:q" }, basic("elastic:p:q")],
    [{ http_user: "u", http_api_key: "k", cloud_auth: "c:d" }, basic("u:")],
    [{ http_api_key: "k", cloud_auth: "c:d" }, "ApiKey k"],
  ])("proves itself with %j", async (options, authorization) => {
    expect((await requestOf(options)).headers.authorization).toBe(authorization);
  });

  test.each([
    ["x:", "", "app.eu.example:443"],
    ["my-cluster:", ":9243", "app.eu.example:9243"],
  ])("goes with a cloud id to its server, encrypted", async (name, port, server) => {
    const id = name + Buffer.from(`eu.example$app${port}$kibana`).toString("base64");
    const driver = drive(1, { cloud_id: id, proxy: undefined, "net.connect_timeout": "1ms" });
    const abort = AbortSignal.abort();
    const [payload] = await driver.encode(numbered(1));
    expect((await outcome(driver.send(payload!, abort)))?.message).toContain(server);
  });
});

test("what is sent and refused is logged where that is asked for", async () => {
  const server = await answering(bulkAnswer([201, 400]));
  const options = { trace_output: "on", trace_error: "on", compress: "gzip" };
  const driver = drive(server.port, options);
  await outcome(driver.write(numbered(2)));
  expect(driver.ctx.logged.map(({ level, message }) => [level, message])).toEqual([
    ["info", expect.stringContaining('"n":1}')],
    ["error", expect.stringContaining("mapper_parsing_exception: the reason of 400")],
  ]);
});
