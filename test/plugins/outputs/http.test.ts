import { afterEach, expect, test } from "bun:test";
import { Batch, PartialError, ThrottledError } from "logcollector/plugin";
import net from "node:net";
import { gunzipSync, zstdDecompressSync } from "node:zlib";
import http from "../../../plugins/outputs/http.ts";
import { listen, startServer, stopServers } from "./http-server.ts";
import { bodies, driveOutput, lines, type OutputDriver, record } from "./output-driver.ts";

const driven: OutputDriver[] = [];
afterEach(async () => {
  for (const { output } of driven.splice(0)) await output.close?.();
  stopServers();
});

function drive(options: Record<string, unknown>): OutputDriver {
  const output = driveOutput(http, { "net.proxy_env_ignore": "on", ...options });
  driven.push(output);
  return output;
}

/** What sending one record to the server ends in. */
function outcome(options: Record<string, unknown>): Promise<unknown> {
  return drive(options).write(bodies({ a: 1 })).then(() => undefined, (error) => error);
}

test("http posts one JSON array, with Fluent Bit's headers", async () => {
  const server = await startServer();
  await drive({ port: server.port }).write(bodies({ a: 1 }), lines("x"));
  const [request] = server.received;
  expect(request).toMatchObject({ method: "POST", url: "/" });
  expect(request!.headers).toMatchObject({
    "content-type": "application/json",
    "user-agent": "Fluent-Bit",
    "content-length": String(request!.body.length),
  });
  expect(request!.body.toString()).toBe(
    '[{"date":1700000000.123457,"a":1},{"date":1700000000.123457,"log":"x"}]',
  );
});

test.each([
  ["json_lines", "application/x-ndjson", '{"date":1700000000.123457,"a":1}\n'],
  ["json_stream", "application/json", '{"date":1700000000.123457,"a":1}'],
  [
    "gelf",
    "application/json",
    '{"version":"1.1","_a":1,"short_message":"hi","timestamp":1700000000.123}\n',
  ],
])("http sends %s", async (format, type, expected) => {
  const server = await startServer();
  const output = drive({ port: server.port, format, uri: "put?x=1", http_method: "put" });
  await output.write(bodies(format === "gelf" ? { a: 1, short_message: "hi" } : { a: 1 }));
  const [request] = server.received;
  expect(request).toMatchObject({ method: "PUT", url: "/put?x=1" });
  expect(request!.headers["content-type"]).toBe(type);
  expect(request!.body.toString()).toBe(expected);
});

test("http sends msgpack events", async () => {
  const server = await startServer();
  await drive({ port: server.port, format: "msgpack" }).write(bodies({ a: 1 }));
  expect(server.received[0]!.headers["content-type"]).toBe("application/msgpack");
  expect(server.received[0]!.body.toString("hex")).toBe("9292d7006553f100075bcd158081a16101");
});

test("http flattens nested maps and arrays for gelf, and drops what gelf cannot say", async () => {
  const output = drive({ format: "gelf", gelf_short_message_key: "msg" });
  const text = await output.text(
    bodies(
      {
        msg: "m",
        level: "Warning",
        id: 1,
        nul: null,
        ok: true,
        host: "h",
        m: { x: 1, "y z": { q: 2 } },
      },
      { msg: "m", arr: [1, "two", { k: 2.5 }], level: "3", timestamp: 5 },
      { other: 1 },
      { msg: "m", level: 1.5 },
    ),
  );
  expect(text.trim().split("\n").map((line) => JSON.parse(line))).toEqual([
    {
      version: "1.1",
      short_message: "m",
      level: 4,
      _ok: "true",
      host: "h",
      _m_x: 1,
      _m_y_z_q: 2,
      timestamp: 1_700_000_000.123,
    },
    { version: "1.1", short_message: "m", _arr: "1, two, k=2.500000", level: 3, timestamp: 5 },
  ]);
  expect(output.drops).toEqual([{ records: 2, reason: "gelf" }]);
});

test("http sends configured headers, the tag and basic authentication", async () => {
  const server = await startServer();
  const output = drive({
    port: server.port,
    header: ["X-A one two", "X-A three", 'X-B "q"', "Content-Type text/x"],
    header_tag: "X-Tag",
    http_user: "u",
    http_passwd: "p:é",
  });
  await output.write(Batch.of("a\r\nX-Evil: 1", [record({})]), bodies({}));
  const [first, second] = server.received;
  expect(first!.headers).toMatchObject({
    "x-a": "one two, three",
    "x-b": '"q"',
    "x-tag": "a  X-Evil: 1",
    "content-type": "text/x",
    authorization: `Basic ${Buffer.from("u:p:é").toString("base64")}`,
  });
  expect(first!.headers["x-evil"]).toBeUndefined();
  expect(second!.headers["x-tag"]).toBe("app.web");
});

test("http sends a repeated header once when duplicates are not allowed", async () => {
  const server = await startServer();
  const options = { header: ["X-A one", "x-a two"], allow_duplicated_headers: "off" };
  await drive({ port: server.port, ...options }).write(bodies({}));
  expect(server.received[0]!.headers["x-a"]).toBe("two");
});

test.each([
  ["gzip", gunzipSync],
  ["zstd", zstdDecompressSync],
])("http compresses with %s", async (compress, decompress) => {
  const server = await startServer();
  await drive({ port: server.port, compress, json_date_key: "off" }).write(bodies({ a: 1 }));
  expect(server.received[0]!.headers["content-encoding"]).toBe(compress);
  expect(decompress(server.received[0]!.body).toString()).toBe('[{"a":1}]');
});

test("http uses a connection again, and not with net.keepalive off", async () => {
  const server = await startServer();
  const kept = drive({ port: server.port });
  // The first request makes sure of the server; all others share one connection of the quick way.
  for (let i = 0; i < 5; i++) await kept.write(bodies({}));
  expect(server.connections()).toBe(2);
  const single = drive({ port: server.port, "net.keepalive": "off" });
  for (let i = 0; i < 2; i++) await single.write(bodies({}));
  expect(server.connections()).toBe(4);
});

test("http connects anew after the idle timeout and after net.keepalive_max_recycle requests", async () => {
  const server = await startServer();
  const output = drive({ port: server.port, "net.keepalive_max_recycle": 2 });
  await output.write(bodies({}));
  output.ctx.clock.advance(30_000);
  for (let i = 0; i < 3; i++) await output.write(bodies({}));
  expect(server.connections()).toBe(3);
});

test.each([200, 201, 204, 206])("http takes status %d for success", async (status) => {
  const server = await startServer((response) => response.writeHead(status).end());
  expect(await outcome({ port: server.port })).toBeUndefined();
});

test.each([400, 401, 404, 413])("http takes status %d for a refusal", async (status) => {
  const server = await startServer((r) => r.writeHead(status).end("no\x1b[31m\r\nway"));
  expect(await outcome({ port: server.port, uri: "/in?token=s3cret" })).toMatchObject({
    name: "PermanentError",
    message: `Cannot post to 127.0.0.1:${server.port}/in: status is ${status}, "no [31m way"`,
  });
});

test.each([408, 429, 500, 502, 503])("http tries again after status %d", async (status) => {
  const server = await startServer((response) => response.writeHead(status).end());
  expect(await outcome({ port: server.port })).toMatchObject({ name: "Error" });
});

test.each([
  ["7", 7000],
  ["999999", 3_600_000],
  [new Date(1_700_000_060_000).toUTCString(), 60_000],
])("http waits as long as Retry-After %j says, an hour at most", async (value, ms) => {
  const server = await startServer((r) => r.writeHead(429, { "Retry-After": value }).end());
  const error = await outcome({ port: server.port });
  expect(error).toBeInstanceOf(ThrottledError);
  expect((error as ThrottledError).retryAfterMs).toBe(ms);
});

test("http does not follow a redirect, and tries again", async () => {
  const other = await startServer();
  const location = `http://user:pw@127.0.0.1:${other.port}/x?secret`;
  const server = await startServer((r) => r.writeHead(307, { Location: location }).end());
  const error = await outcome({ port: server.port }) as Error;
  expect(error.name).toBe("Error");
  expect(error.message).toEndWith(
    `status is 307, a redirect to 127.0.0.1:${other.port}, which is not followed`,
  );
  expect(other.received).toEqual([]);
});

test("http reads no more of a long answer than it needs", async () => {
  let sent = 0;
  const server = await startServer((response) => {
    response.writeHead(400);
    const part = Buffer.alloc(65_536, "y");
    const more = () => {
      sent += part.length;
      if (sent < 256 << 20 && !response.destroyed) response.write(part, more);
    };
    more();
  });
  const error = await outcome({ port: server.port }) as Error;
  expect(error.name).toBe("PermanentError");
  expect(error.message.length).toBeLessThan(1000);
  expect(sent).toBeLessThan(64 << 20);
});

test("http shows nothing of the answer when log_response_payload is off", async () => {
  const server = await startServer((response) => response.writeHead(400).end("private"));
  const error = await outcome({ port: server.port, log_response_payload: "off" }) as Error;
  expect(error.message).toEndWith("status is 400");
});

test.each([
  { "http.response_timeout": "5s" },
  { "http.response_timeout": 0, "net.io_timeout": "5s" },
])("http gives up on a server that does not answer in time, with %j", async (limits) => {
  let arrived = () => {};
  const request = new Promise<void>((resolve) => arrived = resolve);
  const server = await startServer(() => arrived());
  const output = drive({ port: server.port, ...limits });
  const sent = output.write(bodies({})).catch((error: Error) => error);
  await request;
  output.ctx.clock.advance(5000);
  expect(await sent).toMatchObject({ name: "Error", message: expect.stringContaining("over 5 s") });
});

test("http stops when it is told to", async () => {
  let arrived = () => {};
  const request = new Promise<void>((resolve) => arrived = resolve);
  const server = await startServer(() => arrived());
  const output = drive({ port: server.port });
  const [payload] = await output.encode(bodies({}));
  const stop = new AbortController();
  const sent = output.send(payload!, stop.signal).catch((error: Error) => error);
  await request;
  stop.abort();
  expect(await sent).toBeInstanceOf(Error);
});

test("http tries again after a reset, a refused connection and an answer that is no HTTP", async () => {
  const reset = await listen(net.createServer((socket) => {
    socket.once("data", () => socket.resetAndDestroy());
  }));
  expect(await outcome({ port: reset })).toMatchObject({ name: "Error" });
  expect(await outcome({ port: 1 })).toMatchObject({
    message: expect.stringContaining("ECONNREFUSED"),
  });
  const garbage = await listen(net.createServer((socket) => void socket.end("SSH-2.0-x\r\n\r\n")));
  expect(await outcome({ port: garbage })).toMatchObject({ name: "Error" });
});

test("http sends one request for each record with body_key and headers_key", async () => {
  const server = await startServer((response, { url, body }) => {
    response.writeHead(url === "/" && body.toString() === "bad" ? 400 : 200).end();
  });
  const output = drive({ port: server.port, body_key: "$b", headers_key: "$h", header: "X-C c" });
  const headers = {
    "X-One": "1",
    n: 5,
    "Content-Length": "9",
    "X-Bad\n": "y",
    "X-Inject": "a\r\nb: c",
  };
  const batch = bodies({ b: "one", h: headers }, { b: "bad", h: {} }, { b: "two", h: {} }, {
    x: 1,
  });
  const error = await output.write(batch).catch((thrown) => thrown);
  expect(error).toBeInstanceOf(PartialError);
  expect(error).toMatchObject({ records: 0, refused: 1 });
  expect(output.drops).toEqual([{ records: 1, reason: "missing_field" }]);
  expect(server.received.map(({ body }) => body.toString())).toEqual(["one", "bad", "two"]);
  expect(server.received[0]!.headers).toMatchObject({
    "x-one": "1",
    "x-c": "c",
    "x-inject": "a  b: c",
    "content-length": "3",
  });
});

test("http sends only what is left when a later record of several requests fails", async () => {
  let requests = 0;
  const server = await startServer((response) =>
    response.writeHead(++requests === 2 ? 503 : 200).end()
  );
  const output = drive({ port: server.port, body_key: "b", headers_key: "h" });
  const [payload] = await output.encode(
    bodies({ b: "1", h: {} }, { b: "2", h: {} }, { b: "3", h: {} }),
  );
  const error = await output.send(payload!).catch((thrown) => thrown) as PartialError;
  expect(error).toMatchObject({ records: 2, refused: 0 });
  await output.send({ ...payload!, bytes: error.remaining, records: error.records });
  expect(server.received.map(({ body }) => body.toString())).toEqual(["1", "2", "2", "3"]);
});

test.each([
  [{ body_key: "b" }, "headers_key"],
  [{ uri: "/a b" }, "uri"],
  [{ header: "Content-Length 5" }, "Content-Length"],
  [{ header: "Nothing" }, "NAME VALUE"],
  [{ header_tag: "X Tag" }, "X Tag"],
  [{ compress: "snappy" }, "snappy"],
  [{ aws_auth: "on" }, "not supported"],
  [{ "oauth2.enable": "true" }, "not supported"],
  [{ proxy: "socks5://127.0.0.1:1" }, "socks5"],
])("http refuses the options %j", (options, message) => {
  expect(() => drive(options)).toThrow(message);
});
