import { afterEach, describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import type { Socket } from "node:net";
import { pack, Unpackr } from "msgpackr";
import forward from "../../../plugins/outputs/forward.ts";
import { eventually } from "../../support/eventually.ts";
import { acknowledge, type ForwardBehaviour, ForwardPeer } from "../../support/forward-peer.ts";
import { bodies, driveOutput, type OutputDriver } from "./output-driver.ts";

const opened: OutputDriver[] = [];
afterEach(async () => {
  for (const driver of opened.splice(0)) await driver.output.close?.();
});

function drive(options: Record<string, unknown>): OutputDriver {
  const driver = driveOutput(forward, options);
  opened.push(driver);
  return driver;
}

const ACKED = { require_ack_response: "on" };
const ignoredBy = ({ ctx }: OutputDriver) =>
  ctx.counters.get("output_forward_ignored_messages_total")!.value;

/** What a delivery comes to: its error's message, or `undefined` when it is delivered. */
function outcomeOf(delivery: Promise<void>): { said: string | undefined; isOver: boolean } {
  const outcome = { said: undefined as string | undefined, isOver: false };
  delivery.catch((error: Error) => {
    expect(error.name).toBe("Error");
    outcome.said = error.message;
  }).finally(() => (outcome.isOver = true));
  return outcome;
}

/** Lets so much time pass as it takes, and returns how a delivery fails. */
async function failure(output: OutputDriver, delivery: Promise<void>): Promise<string | undefined> {
  const outcome = outcomeOf(delivery);
  await eventually(() => {
    output.ctx.clock.advance(1000);
    return outcome.isOver;
  });
  return outcome.said;
}

describe("fault 48: an acknowledgement", () => {
  test.each<[string, (socket: Socket, chunk: string) => void]>([
    [
      "that comes twice",
      (socket, ack) => socket.write(Buffer.concat([pack({ ack }), pack({ ack })])),
    ],
    ["after one with another id", (socket, ack) => {
      socket.write(pack({ ack: "AAAAAAAAAAAAAAAAAAAAAA==" }));
      socket.write(pack({ ack }));
    }],
    ["after one with a part of its id, and one with more", (socket, ack) => {
      socket.write(pack({ ack: ack.slice(0, -1) }));
      socket.write(pack({ ack: `${ack}=` }));
      socket.write(pack({ ack }));
    }],
    ["after messages that are none", (socket, ack) => {
      for (const other of [null, 7, "ack", [ack], { ack: 1 }, { ack: null }, { nack: ack }, {}]) {
        socket.write(pack(other));
      }
      socket.write(pack({ ack }));
    }],
    ["that comes byte by byte", (socket, ack) => {
      for (const byte of pack({ ack })) socket.write(Buffer.of(byte));
    }],
    ["with more in it", (socket, ack) => void socket.write(pack({ took: 3, ack, ok: true }))],
    ["in binary form", (socket, ack) => void socket.write(pack({ ack: Buffer.from(ack) }))],
  ])("%s counts once, for its own payload", async (_, answer) => {
    using peer = await ForwardPeer.start({
      onMessage: ({ socket, options }) => answer(socket, String(options!["chunk"])),
    });
    const output = drive({ port: peer.port, ...ACKED });
    for (let n = 0; n < 5; n++) await output.write(bodies({ n }));
    expect(peer.bodies).toEqual([0, 1, 2, 3, 4].map((n) => ({ n })));
    expect(peer.connections).toBe(1);
  });

  test("of an earlier payload is ignored and counted, however often it comes", async () => {
    const chunks: string[] = [];
    using peer = await ForwardPeer.start({
      onMessage(message) {
        for (const chunk of chunks) acknowledge(message, chunk);
        chunks.push(String(message.options!["chunk"]));
        if (message.number !== 3) acknowledge(message);
      },
    });
    const output = drive({ port: peer.port, ...ACKED });
    await output.write(bodies({ n: 1 }));
    await output.write(bodies({ n: 2 }));
    expect(await failure(output, output.write(bodies({ n: 3 })))).toContain(
      "no acknowledgement in time: over 60 s",
    );
    await output.write(bodies({ n: 3 }));
    expect(peer.messages.map(({ connection }) => connection)).toEqual([1, 1, 1, 2]);
    expect(ignoredBy(output)).toBe(0 + 1 + 2 + 3);
    expect(output.ctx.logged.map(({ level }) => level)).toEqual(Array(6).fill("debug"));
  });

  test.each<[string, ForwardBehaviour["onMessage"]]>([
    ["is left out", () => undefined],
    ["has another id", (message) => acknowledge(message, "AAAAAAAAAAAAAAAAAAAAAA==")],
    ["is cut short", ({ socket }) => void socket.write(Buffer.from([0x81, 0xa3, 0x61, 0x63]))],
  ])("that %s is waited for in vain: the payload is sent again, over another connection", async (
    _,
    onFirst,
  ) => {
    using peer = await ForwardPeer.start({
      onMessage: (message) => message.number === 1 ? onFirst!(message) : acknowledge(message),
    });
    const output = drive({ port: peer.port, ...ACKED, ack_response_timeout: 5 });
    const payload = (await output.encode(bodies({ n: 1 })))[0]!;
    expect(await failure(output, output.send(payload))).toBe(
      `Cannot send to 127.0.0.1:${peer.port}: no acknowledgement in time: over 5 s`,
    );
    await output.send(payload);
    expect(peer.messages.map(({ connection }) => connection)).toEqual([1, 2]);
    expect(peer.bodies).toEqual([{ n: 1 }, { n: 1 }]);
    const [first, second] = peer.messages.map(({ options }) => options!["chunk"]);
    expect(first).not.toBe(second!);
  });

  test("of a connection that ended does not count for the next", async () => {
    using peer = await ForwardPeer.start({
      onMessage(message) {
        // The answer to the first attempt, in place of the one to the second.
        if (message.number < 3) acknowledge(peer.messages[0]!, "x");
        if (message.number === 2) acknowledge(message, peer.messages[0]!.options!["chunk"]);
        if (message.number === 3) acknowledge(message);
      },
    });
    const output = drive({ port: peer.port, ...ACKED });
    for (let i = 0; i < 2; i++) {
      expect(await failure(output, output.write(bodies({ n: 1 })))).toContain("in time");
    }
    await output.write(bodies({ n: 1 }));
    expect(peer.messages.length).toBe(3);
  });

  test("of a message that another connection carried does not count, when one is replaced", async () => {
    using peer = await ForwardPeer.start({
      onMessage(message) {
        if (message.number === 2) message.socket.resetAndDestroy();
        else if (message.number === 3) acknowledge(message, peer.messages[1]!.options!["chunk"]);
        else acknowledge(message);
      },
    });
    const output = drive({ port: peer.port, ...ACKED });
    await output.write(bodies({ n: 1 }));
    // It is sent at once over a second connection, whose answer names the message that the first one carried.
    expect(await failure(output, output.write(bodies({ n: 2 })))).toContain("in time");
    expect(peer.messages.map(({ connection }) => connection)).toEqual([1, 1, 2]);
    expect(ignoredBy(output)).toBe(1);
  });

  test("that never comes because the server dies is a failure at once", async () => {
    using peer = await ForwardPeer.start({
      onMessage({ number, socket }) {
        if (number === 1) socket.resetAndDestroy();
        else socket.end();
      },
    });
    const output = drive({ port: peer.port, ...ACKED });
    await expect(output.write(bodies({ n: 1 }))).rejects.toThrow("ECONNRESET");
    await expect(output.write(bodies({ n: 1 }))).rejects.toThrow("has closed the connection");
  });
});

describe("fault 47: a server that sends", () => {
  const LONG = "a message of more than 8192 bytes|nobody asked for";
  const repeat = (part: Buffer, times: number) => Buffer.concat(Array(times).fill(part));
  test.each<[string, Buffer, string]>([
    ["the head of a list of 4 billion", Buffer.from("ddffffffff", "hex"), "in time"],
    ["the head of a map of 4 billion", Buffer.from("dfffffffff", "hex"), "in time"],
    ["the head of a text of 4 GiB", Buffer.from("dbffffffff", "hex"), "in time"],
    ["such a list, with something in it", repeat(Buffer.from("ddffffffff", "hex"), 40), "in time"],
    [
      "such a list, with much in it",
      repeat(Buffer.from("ddffffffff", "hex"), 4000),
      "nested|asked for",
    ],
    [
      "such a text, with much in it",
      Buffer.concat([Buffer.from("dbffffffff", "hex"), Buffer.alloc(10_000, "x")]),
      LONG,
    ],
    [
      "a list of many small things",
      Buffer.concat([Buffer.from("ddffffffff", "hex"), Buffer.alloc(10_000)]),
      LONG,
    ],
    [
      "no msgpack",
      Buffer.from("HTTP/1.1 400 Bad Request\r\n\r\n\xc1", "latin1"),
      "in time|protocol",
    ],
    ["the byte that is none", Buffer.of(0xc1), "does not speak the protocol: 0xc1 begins no value"],
    ["a flood of nothing", Buffer.alloc(200_000, 0xc0), "that nobody asked for"],
    ["a flood of acknowledgements", repeat(pack({ ack: "x" }), 20_000), "that nobody asked for"],
  ])("%s is left, and the payload tried again", async (_, answer, said) => {
    using peer = await ForwardPeer.start({
      onMessage: (message) =>
        message.number === 1 ? void message.socket.write(answer) : acknowledge(message),
    });
    const output = drive({ port: peer.port, ...ACKED });
    expect(await failure(output, output.write(bodies({ n: 1 })))).toMatch(new RegExp(said));
    await output.write(bodies({ n: 1 }));
    await eventually(() => peer.openConnections === 1);
  });

  test("much while nothing is waited for is left too", async () => {
    using peer = await ForwardPeer.start();
    const output = drive({ port: peer.port, ...ACKED });
    await output.write(bodies({ n: 1 }));
    peer.messages[0]!.socket.write(Buffer.alloc(1 << 20, 0xc0));
    await eventually(() => peer.openConnections === 0);
    await output.write(bodies({ n: 2 }));
    expect(peer.bodies).toEqual([{ n: 1 }, { n: 2 }]);
  });
});

type Ping = [string, string, string, string, string, string];
const unpackr = new Unpackr({ useRecords: false, mapsAsObjects: true });
const sha512 = (...parts: (string | Uint8Array)[]) => {
  const hash = createHash("sha512");
  for (const part of parts) hash.update(part);
  return hash.digest("hex");
};

/** A server that demands a login and answers it as the test says; what comes after is kept for the test. */
async function loginPeer(
  helo: unknown,
  answer: (ping: Ping, socket: Socket) => unknown,
  after: (bytes: Buffer, socket: Socket) => void = () => undefined,
): Promise<ForwardPeer> {
  const known = new Set<Socket>();
  return await ForwardPeer.start({
    onConnection: (socket) => void (helo === undefined || socket.write(pack(helo))),
    onBytes(socket, bytes) {
      if (known.has(socket)) after(bytes, socket);
      else {
        known.add(socket);
        const pong = answer(unpackr.unpack(bytes) as Ping, socket);
        if (pong !== undefined) socket.write(pack(pong));
      }
      return true;
    },
  });
}

const NONCE = Buffer.from("0123456789abcdef");
const HELO = ["HELO", { nonce: NONCE, auth: "", keepalive: true }];
const KEY = { shared_key: "key", self_hostname: "edge" };
const proof = (ping: Ping, name: string) => sha512(ping[2], name, NONCE, "key");

describe("a login", () => {
  test.each<[string, unknown, (ping: Ping, socket: Socket) => unknown, string]>([
    ["without a HELO", undefined, () => undefined, "no HELO in time: over 10 s"],
    ["after something else than HELO", { ack: "x" }, () => undefined, "something else than HELO"],
    ["after a HELO without a nonce", ["HELO", {}], () => undefined, "HELO has no nonce"],
    ["after a HELO without options", ["HELO"], () => undefined, "HELO has no nonce"],
    ["without a PONG", HELO, () => undefined, "no PONG in time: over 10 s"],
    ["answered by something else", HELO, () => ({ ack: "x" }), "something else than a PONG"],
    ["answered by a PONG without proof", HELO, () => ["PONG", true, "", "agg"], "its proof"],
    [
      "answered by a wrong proof",
      HELO,
      (ping) => ["PONG", true, "", "agg", sha512(ping[2], "agg", NONCE, "other")],
      "does not prove that it knows the shared_key",
    ],
    [
      "answered by this client's own proof",
      HELO,
      (ping) => ["PONG", true, "", ping[1], ping[3]],
      "the server has this client's name",
    ],
    [
      "answered by this client's own proof under another name",
      HELO,
      (ping) => ["PONG", true, "", "agg", ping[3]],
      "does not prove that it knows the shared_key",
    ],
    [
      "that is refused",
      HELO,
      () => ["PONG", false, `no\n\x1b[31m${"x".repeat(1000)}`, "agg", ""],
      `the server refuses the login: no \\x1b[31m${"x".repeat(192)}`,
    ],
    [
      "at which the server ends the connection",
      HELO,
      (_, socket) => void socket.end(),
      "the server ends the connection at the login: see shared_key",
    ],
    ["refused without a word", HELO, () => ["PONG", false], "it does not say why"],
  ])("%s fails, and no record is sent", async (_, helo, answer, said) => {
    let sent = 0;
    using peer = await loginPeer(helo, answer, (bytes) => (sent += bytes.length));
    const output = drive({ port: peer.port, ...KEY });
    for (let i = 0; i < 2; i++) {
      expect(await failure(output, output.write(bodies({ n: 1 })))).toContain(said);
    }
    await eventually(() => peer.openConnections === 0);
    expect(sent).toBe(0);
  });

  test("proves key and password without sending them, and takes a server that proves the key", async () => {
    const pings: Ping[] = [];
    const sent: Buffer[] = [];
    const auth = Buffer.from([0xff, 0xfe, 0, 1, 2, 3]);
    using peer = await loginPeer(
      ["HELO", { nonce: NONCE, auth }],
      (ping) => {
        pings.push(ping);
        return ["PONG", true, "", "agg", proof(ping, "agg")];
      },
      (bytes) => void sent.push(bytes),
    );
    await drive({ port: peer.port, ...KEY, username: "u", password: "pw" }).write(bodies({ n: 1 }));
    await eventually(() => sent.length > 0);
    const [name, hostname, salt, digest, user, password] = pings[0]!;
    expect([name, hostname, user, salt.length]).toEqual(["PING", "edge", "u", 16]);
    expect(digest).toBe(sha512(salt, "edge", NONCE, "key"));
    expect(password).toBe(sha512(auth, "u", "pw"));
  });

  test("that the server wants and nobody has set is said, and nothing more is sent until it is wanted no more", async () => {
    let sent = 0;
    let isWanted = true;
    using peer = await ForwardPeer.start({
      onConnection: (socket) => void (isWanted && socket.write(pack(HELO))),
      onBytes: (_, bytes) => {
        sent += bytes.length;
        return true;
      },
    });
    const output = drive({ port: peer.port });
    // Without acknowledgements there is no telling in time.
    await output.write(bodies({ n: 1 })).catch(() => undefined);
    const said = () => output.ctx.logged.filter(({ level }) => level === "error");
    await eventually(() => said().length > 0);
    expect(said()[0]!.message).toContain("throws away what was sent before: set shared_key");
    await eventually(() => peer.openConnections === 0);
    sent = 0;
    for (let i = 0; i < 2; i++) {
      await expect(output.write(bodies({ n: 2 }))).rejects.toThrow("set shared_key");
    }
    expect(sent).toBe(0);
    isWanted = false;
    expect(await failure(output, output.write(bodies({ n: 2 })))).toBeUndefined();
    await eventually(() => sent > 0);
  });

  test("is made for each message where the server does not keep connections", async () => {
    let logins = 0;
    using peer = await loginPeer(["HELO", { nonce: NONCE, keepalive: false }], (ping) => {
      logins++;
      return ["PONG", true, "", "agg", proof(ping, "agg")];
    });
    const output = drive({ port: peer.port, ...KEY });
    for (let n = 0; n < 3; n++) await output.write(bodies({ n }));
    expect(logins).toBe(3);
    await eventually(() => peer.openConnections === 0);
  });
});

describe("a wait", () => {
  const LARGE = { log: "x".repeat(16 << 20) };
  const WAITS: [string, object, ForwardBehaviour, object, string][] = [
    ["for TLS", { tls: "on", "tls.verify": "off" }, { onBytes: () => true }, {}, "connecting"],
    ["for HELO", { shared_key: "k" }, {}, {}, "no HELO"],
    ["for room to send", {}, { onConnection: (socket) => void socket.pause() }, LARGE, "sending"],
    ["for an acknowledgement", ACKED, { onMessage: () => undefined }, {}, "no acknowledgement"],
  ];
  test.each(WAITS)("fault 40: %s has an end", async (_, options, behaviour, body, said) => {
    using peer = await ForwardPeer.start(behaviour);
    const output = drive({ port: peer.port, ...options });
    expect(await failure(output, output.write(bodies({ ...body })))).toMatch(
      new RegExp(`${said}.*: over (10|60) s$`),
    );
  });

  test.each(WAITS)("%s ends when it is aborted", async (_, options, behaviour, body) => {
    let isThere = false;
    using peer = await ForwardPeer.start({
      ...behaviour,
      onConnection(socket, connection) {
        isThere = true;
        behaviour.onConnection?.(socket, connection);
      },
    });
    const output = drive({ port: peer.port, ...options });
    const payload = (await output.encode(bodies({ ...body })))[0]!;
    const abort = new AbortController();
    const delivery = output.send(payload, abort.signal);
    const outcome = outcomeOf(delivery);
    await eventually(() => isThere);
    expect(outcome.isOver).toBe(false);
    abort.abort();
    await eventually(() => outcome.isOver);
    expect(outcome.said).toContain("aborted");
    await expect(output.send(payload, AbortSignal.abort())).rejects.toThrow();
  });

  test("takes net.io_timeout where ack_response_timeout is 0, and has no end where both are", async () => {
    using peer = await ForwardPeer.start({ onMessage: () => undefined });
    const options = { port: peer.port, ...ACKED, ack_response_timeout: 0 };
    const limited = drive({ ...options, "net.io_timeout": 7 });
    expect(await failure(limited, limited.write(bodies({})))).toContain("over 7 s");
    const unlimited = drive(options);
    const outcome = outcomeOf(unlimited.write(bodies({ n: 2 })));
    await eventually(() => peer.bodies.length === 2);
    unlimited.ctx.clock.advance(1e9);
    expect(outcome.isOver).toBe(false);
    acknowledge(peer.messages[1]!);
    await eventually(() => outcome.isOver);
    expect(outcome.said).toBeUndefined();
  });
});

test("forward says what is wrong when nobody listens", async () => {
  const peer = await ForwardPeer.start();
  const { port } = peer;
  peer[Symbol.dispose]();
  await expect(drive({ port }).write(bodies({}))).rejects.toThrow(/Cannot send to .*ECONNREFUSED/);
  await expect(drive({ unix_path: "/nowhere/x.sock" }).write(bodies({}))).rejects.toThrow(
    /Cannot send to \/nowhere\/x.sock: .*ENOENT/,
  );
});
