import { afterEach, describe, expect, test } from "bun:test";
import { FluentServer } from "@fluent-org/logger";
import { Batch, type LogRecord } from "logcollector/plugin";
import forward from "../../../plugins/outputs/forward.ts";
import { JsonLinesBuilder } from "../../../src/loader/json-lines-builder.ts";
import { eventually } from "../../support/eventually.ts";
import { ForwardPeer } from "../../support/forward-peer.ts";
import { TempFolder } from "../../support/temp-folder.ts";
import { type Certificates, makeCertificates } from "./certificates.ts";
import { bodies, driveOutput, lines, type OutputDriver, record } from "./output-driver.ts";

const opened: OutputDriver[] = [];
afterEach(async () => {
  for (const driver of opened.splice(0)) await driver.output.close?.();
});

function drive(options: Record<string, unknown>): OutputDriver {
  const driver = driveOutput(forward, options);
  opened.push(driver);
  return driver;
}

const TIME = { sec: 1_700_000_000, nsec: 123_456_789 };

describe("what goes over the wire", () => {
  test("is Forward mode without options, each event with its metadata, as Fluent Bit has it", async () => {
    using peer = await ForwardPeer.start();
    const output = drive({ port: peer.port });
    const records: LogRecord[] = [
      { ...record({ log: "größer", n: [1, -2.5, null, true] }), metadata: { from: "x" } },
      record({ nested: { a: 1 } }),
    ];
    await output.write(Batch.of("app.web", records));
    await eventually(() => peer.messages.length === 1);
    expect(peer.messages[0]).toMatchObject({
      tag: "app.web",
      options: undefined,
      events: [
        [[TIME, { from: "x" }], { log: "größer", n: [1, -2.5, null, true] }],
        [[TIME, {}], { nested: { a: 1 } }],
      ],
    });
  });

  test("has no metadata with retain_metadata_in_forward_mode off", async () => {
    using peer = await ForwardPeer.start();
    const output = drive({ port: peer.port, retain_metadata_in_forward_mode: "off" });
    await output.write(Batch.of("t", [{ ...record({ a: 1 }), metadata: { from: "x" } }]));
    await eventually(() => peer.messages.length === 1);
    expect(peer.messages[0]!.events).toEqual([[TIME, { a: 1 }]]);
  });

  test("has whole seconds with time_as_integer", async () => {
    using peer = await ForwardPeer.start();
    const output = drive({ port: peer.port, time_as_integer: "on" });
    await output.write(bodies({ a: 1 }), lines("x"));
    await eventually(() => peer.bodies.length === 2);
    expect(peer.messages[0]!.events).toEqual([[TIME.sec, { a: 1 }], [TIME.sec, { log: "x" }]]);
  });

  test("has the same events for lines and JSON that nobody looked into as for records", async () => {
    const text = ["first", "", "größer 東京 🚀", "y".repeat(300), "z".repeat(70_000)];
    const source = { key: "log", ...TIME, extra: { file: "/a" } };
    const json = Buffer.from('{"time":"x","a":1.5}\n{"a":"y\\n","in":{"b":[]}}\n');
    const builder = () => {
      const made = new JsonLinesBuilder();
      made.add(0, 20, TIME, 1, 12);
      made.add(21, json.length - 1, TIME);
      return Batch.ofJson("app.web", made.build(json, () => undefined));
    };
    const asBytes = () =>
      Batch.ofLines("app.web", { ...source, bytes: Buffer.from(text.join("\n")), count: 5 });
    const asTexts = () => Batch.ofLines("app.web", { ...source, lines: text });
    const asRecords = () => Batch.of("app.web", asTexts().records);
    for (const options of [{}, { time_as_integer: "on" }]) {
      using peer = await ForwardPeer.start();
      const output = drive({ port: peer.port, ...options });
      for (const batch of [asRecords(), asBytes(), asTexts()]) await output.write(batch);
      await output.write(Batch.of("app.web", builder().records));
      await output.write(builder());
      await eventually(() => peer.messages.length === 5);
      const [records, bytes, texts, jsonRecords, jsonBytes] = peer.messages.map((m) => m.events);
      expect(records!.map(([, body]) => body)).toEqual(
        text.map((log) => ({ file: "/a", log })),
      );
      expect([bytes, texts]).toEqual([records, records]);
      expect(jsonBytes).toEqual(jsonRecords!);
      expect(jsonBytes!.map(([, body]) => body)).toEqual([{ a: 1.5 }, { a: "y\n", in: { b: [] } }]);
    }
  });

  test.each([
    [{ send_options: "on" }, { size: 2, fluent_signal: 0 }],
    [{ compress: "gzip" }, { size: 2, compressed: "gzip", fluent_signal: 0 }],
    [{ compress: "text" }, undefined],
    [
      { add_option: ["site berlin", "rack 7 left"] },
      { size: 2, fluent_signal: 0, site: "berlin", rack: "7 left" },
    ],
  ])("with %j has the options %j", async (options, expected) => {
    using peer = await ForwardPeer.start();
    await drive({ port: peer.port, ...options }).write(bodies({ a: 1 }, { a: 2 }));
    await eventually(() => peer.messages.length === 1);
    expect(peer.messages[0]!.options).toEqual(expected as never);
    expect(peer.bodies).toEqual([{ a: 1 }, { a: 2 }]);
  });

  test("asks for an acknowledgement of a chunk of 128 bits, another each time", async () => {
    using peer = await ForwardPeer.start();
    const output = drive({ port: peer.port, require_ack_response: "on" });
    for (let i = 0; i < 20; i++) await output.write(bodies({ i }));
    const chunks = peer.messages.map(({ options }) => String(options!["chunk"]));
    expect(new Set(chunks).size).toBe(20);
    for (const chunk of chunks) expect(Buffer.from(chunk, "base64").length).toBe(16);
  });

  test("has another tag where tag says so, one message for each that it makes", async () => {
    using peer = await ForwardPeer.start();
    const batch = () =>
      bodies({ app: "a", n: 1 }, { app: "b", n: 2 }, { n: 3 }, { app: "a", n: 4 });
    await drive({ port: peer.port, tag: "edge.$TAG" }).write(batch());
    await drive({ port: peer.port, tag: "$app" }).write(batch());
    await eventually(() => peer.messages.length === 4);
    expect(peer.messages.map(({ tag, events }) => [tag, ...events.map(([, { n }]) => n)])).toEqual([
      ["edge.app.web", 1, 2, 3, 4],
      ["a", 1, 4],
      ["b", 2],
      ["app.web", 3],
    ]);
  });
});

test("forward names the form of its payloads by what is in them", () => {
  const formOf = (options: object) => drive({ ...options }).output.format;
  expect([
    formOf({}),
    formOf({ retain_metadata_in_forward_mode: "off", tag: "x", port: 1 }),
    formOf({ time_as_integer: "on" }),
    formOf({ compress: "gzip" }),
  ]).toEqual(["events-metadata", "events-times", "events-seconds", "events-metadata-gzip"]);
});

test.each([
  [{ username: "u", password: "p" }, "username and password need shared_key"],
  [{ compress: "gzip", time_as_integer: "on" }, "compress and time_as_integer exclude each other"],
  [{ unix_path: "/x", tls: "on" }, "tls is for connections to a host"],
  [{ tls: "on", "tls.ca_file": "/nowhere/ca.crt" }, "cannot read tls.ca_file"],
])("forward refuses %j", (options, message) => {
  expect(() => drive(options)).toThrow(message);
});

/** A server that somebody else wrote. */
async function realServer(options: ConstructorParameters<typeof FluentServer>[0] = {}) {
  const server = new FluentServer({ listenOptions: { port: 0, host: "127.0.0.1" }, ...options });
  const entries: { tag: string; time: unknown; body: unknown }[] = [];
  server.on("entry", (tag, time, body) => void entries.push({ tag, time, body }));
  await server.listen();
  return { entries, port: server.port!, [Symbol.asyncDispose]: () => server.close() };
}

const SECURITY = {
  serverHostname: "aggregator",
  sharedKey: "secret-key",
  authorize: true,
  userDict: { alice: "pass word" },
};
const LOGIN = { shared_key: "secret-key", username: "alice", password: "pass word" };
/** The server knows the older form of events alone. */
const PLAIN = { retain_metadata_in_forward_mode: "off", require_ack_response: "on" };

describe("a server of @fluent-org/logger", () => {
  test.each([{}, { compress: "gzip" }, { time_as_integer: "on" }, { send_options: "on" }])(
    "takes what is sent with %j, and acknowledges it",
    async (options) => {
      await using server = await realServer();
      const output = drive({ port: server.port, ...PLAIN, ...options });
      await output.write(bodies({ log: "größer" }, { n: 2 }), lines("third"));
      await output.write(bodies({ n: 4 }));
      expect(server.entries.map(({ tag, body }) => [tag, body])).toEqual([
        ["app.web", { log: "größer" }],
        ["app.web", { n: 2 }],
        ["app.web", { log: "third" }],
        ["app.web", { n: 4 }],
      ]);
      const { time } = server.entries[0]!;
      const expected = "time_as_integer" in options
        ? TIME.sec
        : { _epoch: TIME.sec, _nano: TIME.nsec };
      expect(typeof time === "number" ? time : { ...time as object }).toEqual(expected as never);
    },
  );

  test("lets in who knows key and password", async () => {
    await using server = await realServer({ security: SECURITY });
    await drive({ port: server.port, ...PLAIN, ...LOGIN }).write(bodies({ a: 1 }));
    expect(server.entries.map(({ body }) => body)).toEqual([{ a: 1 }]);
  });

  test("lets in who knows an empty key", async () => {
    const security = { ...SECURITY, sharedKey: "", authorize: false };
    await using server = await realServer({ security });
    await drive({ port: server.port, ...PLAIN, empty_shared_key: "on" }).write(bodies({ a: 1 }));
    expect(server.entries.length).toBe(1);
  });

  test.each([
    ["a wrong key", { ...LOGIN, shared_key: "other" }, /the server refuses the login: \w+/],
    ["a wrong password", { ...LOGIN, password: "other" }, /the server refuses the login: \w+/],
    ["an unknown user", { ...LOGIN, username: "bob" }, /the server refuses the login: \w+/],
    [
      "no user",
      { shared_key: LOGIN.shared_key },
      /the server refuses the login \(no username is set\): \w+/,
    ],
    ["its own name", { ...LOGIN, self_hostname: "aggregator" }, /the server refuses the login/],
    ["no key", {}, /the server demands a login: set shared_key/],
  ])("refuses %s, which is said and can be tried again", async (_, login, said) => {
    await using server = await realServer({ security: SECURITY });
    const output = drive({ port: server.port, ...PLAIN, ...login });
    for (let i = 0; i < 2; i++) {
      const error = await output.write(bodies({ a: 1 })).catch((error: Error) => error) as Error;
      expect(error.name).toBe("Error");
      expect(error.message).toMatch(said);
      expect(error.message).toStartWith(`Cannot send to 127.0.0.1:${server.port}: `);
    }
    expect(server.entries).toEqual([]);
  });

  test("is reached over TLS, with its certificate verified", async () => {
    using certificates = disposable(makeCertificates());
    const tlsOptions = {
      cert: certificates.read("server.crt"),
      key: certificates.read("server.key"),
    };
    await using server = await realServer({ tlsOptions, security: SECURITY });
    const options = { port: server.port, host: "localhost", tls: "on", ...PLAIN, ...LOGIN };
    await expect(drive(options).write(bodies({ a: 1 }))).rejects.toThrow(
      "no trusted authority has signed the server's certificate",
    );
    const trusted = { ...options, "tls.ca_file": certificates.path("ca.crt") };
    await drive({ ...trusted, "tls.verify_hostname": "on" }).write(bodies({ a: 2 }));
    await expect(
      drive({ ...trusted, "tls.verify_hostname": "on", "tls.vhost": "other.example" })
        .write(bodies({ a: 3 })),
    ).rejects.toThrow("Cannot send to localhost");
    expect(server.entries.map(({ body }) => body)).toEqual([{ a: 2 }]);
  });
});

function disposable(certificates: Certificates): Certificates & Disposable {
  return { ...certificates, [Symbol.dispose]: () => certificates.remove() };
}

describe("a connection", () => {
  test("is used again, and leads over a Unix socket where unix_path says so", async () => {
    using folder = new TempFolder();
    using peer = await ForwardPeer.start({}, { listen: folder.at("forward.sock") });
    const output = drive({ unix_path: folder.at("forward.sock"), require_ack_response: "on" });
    for (let n = 0; n < 3; n++) await output.write(bodies({ n }));
    expect([peer.connections, peer.bodies]).toEqual([1, [{ n: 0 }, { n: 1 }, { n: 2 }]]);
    await output.output.close?.();
    await eventually(() => peer.openConnections === 0);
  });

  test("is made anew after net.keepalive_max_recycle uses, or each time with net.keepalive off", async () => {
    for (
      const [options, expected] of [
        [{ "net.keepalive_max_recycle": 2 }, [1, 1, 2, 2, 3]],
        [{ "net.keepalive": "off" }, [1, 2, 3, 4, 5]],
      ] as const
    ) {
      using peer = await ForwardPeer.start();
      const output = drive({ port: peer.port, require_ack_response: "on", ...options });
      for (let n = 0; n < 5; n++) await output.write(bodies({ n }));
      expect(peer.messages.map(({ connection }) => connection)).toEqual([...expected]);
    }
  });

  test("is closed when it was idle for net.keepalive_idle_timeout", async () => {
    using peer = await ForwardPeer.start();
    const output = drive({ port: peer.port, require_ack_response: "on" });
    await output.write(bodies({ n: 1 }));
    output.ctx.clock.advance(29_999);
    await output.write(bodies({ n: 2 }));
    expect(peer.connections).toBe(1);
    output.ctx.clock.advance(30_000);
    await eventually(() => peer.openConnections === 0);
    await output.write(bodies({ n: 3 }));
    expect(peer.connections).toBe(2);
  });

  test("that the server has closed while it was idle is replaced without a failure", async () => {
    using peer = await ForwardPeer.start();
    const output = drive({ port: peer.port, require_ack_response: "on" });
    await output.write(bodies({ n: 1 }));
    // The client has not heard of it when it sends again.
    peer.messages[0]!.socket.resetAndDestroy();
    await output.write(bodies({ n: 2 }));
    expect([peer.connections, peer.bodies]).toEqual([2, [{ n: 1 }, { n: 2 }]]);
  });

  test("delivers what is larger than the system's buffers only when all of it was taken", async () => {
    let read: (() => void) | undefined;
    using peer = await ForwardPeer.start({
      onConnection(socket) {
        socket.pause();
        read = () => socket.resume();
      },
    });
    const output = drive({ port: peer.port });
    let isDelivered = false;
    const log = "x".repeat(16 << 20);
    const delivery = output.write(bodies({ log })).then(() => void (isDelivered = true));
    await eventually(() => read !== undefined);
    // A turn of everything that could be ready.
    for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
    expect(isDelivered).toBe(false);
    read!();
    await delivery;
    await eventually(() => peer.bodies.length === 1);
    expect(peer.bodies[0]!["log"] === log).toBe(true);
  });
});
