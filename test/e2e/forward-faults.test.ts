import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { FluentServer } from "@fluent-org/logger";
import { makeCertificates } from "../plugins/outputs/certificates.ts";
import { eventually } from "../support/eventually.ts";
import { firstsOf, type Options, peakBytes, Setup, upTo } from "../support/fault-setup.ts";
import {
  acknowledge,
  type ForwardBehaviour,
  type ForwardMessage,
  ForwardPeer,
} from "../support/forward-peer.ts";
import { metric, untilMetric } from "../support/metric.ts";
import { Random } from "../support/random.ts";

// What ends a test that waits in vain are the deadlines of what it waits for.
setDefaultTimeout(60_000);

const SEED = Number(process.env.SEED ?? 20_261_128);
const FAST = { pauseMs: 50 };
const NAME = { name: "forward.0" };
const WRONG = "AAAAAAAAAAAAAAAAAAAAAA==";

function to(port: number, options: Options = {}): Options {
  return {
    name: "forward",
    match: "*",
    port,
    require_ack_response: "on",
    ack_response_timeout: 0.2,
    ...options,
  };
}

const numberOf = ({ log }: Record<string, unknown>) => parseInt(String(log));
const numbersOf = (peer: ForwardPeer): number[] => peer.bodies.map(numberOf);
const wide = (n: number) => `${n} ${"x".repeat(2000)}`;

/** What a peer may do with a message. Only `right` and those that say so acknowledge it. */
const ANSWERS = {
  right: (message) => acknowledge(message),
  "right, twice"(message) {
    acknowledge(message);
    acknowledge(message);
  },
  "right, after a wrong id"(message) {
    acknowledge(message, WRONG);
    acknowledge(message);
  },
  none: () => undefined,
  "a wrong id": (message) => acknowledge(message, WRONG),
  "half of one": ({ socket }) => void socket.write(Buffer.from([0x81, 0xa3, 0x61, 0x63])),
  "no msgpack": ({ socket }) => void socket.write(Buffer.of(0xc1)),
  "its death": ({ socket }) => void socket.resetAndDestroy(),
  "its end": ({ socket }) => void socket.end(),
} satisfies Record<string, (message: ForwardMessage) => void>;
type Answer = keyof typeof ANSWERS;
const isRight = (answer: Answer) => answer.startsWith("right");

/** What the program must say of an answer that is not right. */
const SAID: Partial<Record<Answer, RegExp>> = {
  none: /no acknowledgement in time: over 0.2 s/,
  "a wrong id": /no acknowledgement in time: over 0.2 s/,
  "half of one": /no acknowledgement in time: over 0.2 s/,
  "no msgpack": /the server does not speak the protocol: 0xc1 begins no value/,
  "its death": /ECONNRESET/,
  "its end": /the server has closed the connection/,
};

describe("fault 48: an acknowledgement", () => {
  for (const answer of Object.keys(ANSWERS) as Answer[]) {
    const becomes = isRight(answer) ? "counts once" : "is met by another attempt";
    test(`that is ${answer} ${becomes}, and nothing is lost`, async () => {
      using peer = await ForwardPeer.start({
        onMessage: (message) => ANSWERS[message.number === 1 ? answer : "right"](message),
      });
      // Right answers are to be in time on a busy machine too.
      const limit = { ack_response_timeout: isRight(answer) ? 5 : 0.2 };
      await using setup = await Setup.start([to(peer.port, limit)], FAST);
      const { collector } = setup;
      await setup.write(0, 10);
      await untilMetric(
        await collector.url(),
        "output_proc_records_total",
        NAME,
        (records) => records === 10,
      );
      await setup.write(10, 20);
      await eventually(() => numbersOf(peer).includes(19));
      const retries = await metric(await collector.url(), "output_retries_total", NAME);
      expect(await collector.stop()).toBe(0);
      if (isRight(answer)) {
        expect([retries, ...numbersOf(peer)]).toEqual([0, ...upTo(20)]);
        return;
      }
      expect(retries).toBeGreaterThanOrEqual(1);
      expect(numbersOf(peer).slice(0, 20)).toEqual([...upTo(10), ...upTo(10)]);
      expect(firstsOf(numbersOf(peer))).toEqual(upTo(20));
      expect(collector.stderr).toMatch(SAID[answer]!);
      expect(peer.messages[1]!.connection).toBe(2);
    });
  }

  test.each([false, true])(
    `storms lose nothing, seed ${SEED}, queue on disk: %p`,
    async (onDisk) => {
      const random = new Random(SEED);
      const acked: number[] = [];
      let unanswered: ForwardMessage | undefined;
      using peer = await ForwardPeer.start({
        onMessage(message) {
          // What an attempt before this one has asked for, over the connection of this one.
          if (unanswered !== undefined && random.below(2) === 0) {
            acknowledge(message, unanswered.options!["chunk"]);
          }
          const answer = random.below(2) === 0
            ? "right"
            : random.pick(Object.keys(ANSWERS) as Answer[]);
          unanswered = isRight(answer) ? undefined : message;
          if (isRight(answer)) acked.push(...message.events.map(([, body]) => numberOf(body)));
          ANSWERS[answer](message);
        },
      });
      await using setup = await Setup.start([to(peer.port)], { ...FAST, onDisk });
      const { collector } = setup;
      for (let i = 0; i < 15; i++) {
        const before = peer.messages.length;
        await setup.write(i * 100, (i + 1) * 100, wide);
        await eventually(() => peer.messages.length > before);
      }
      const taken = () => firstsOf(acked);
      await eventually(() => taken().length === 1500, () => `${taken().length} of 1500`, 30_000);
      expect(await collector.stop()).toBe(0);
      // Every record came in a message that was acknowledged, and in order.
      expect(taken()).toEqual(upTo(1500));
      expect(firstsOf(numbersOf(peer))).toEqual(upTo(1500));
    },
  );

  test("that nobody asked for is counted", async () => {
    using peer = await ForwardPeer.start({ onMessage: ANSWERS["right, twice"] });
    await using setup = await Setup.start([to(peer.port)], FAST);
    await setup.write(0, 10);
    const url = await setup.collector.url();
    await untilMetric(url, "output_forward_ignored_messages_total", NAME, (count) => count === 1);
    expect(numbersOf(peer)).toEqual(upTo(10));
  });
});

describe("in the first connection", () => {
  const FAULTS: readonly [string, RegExp, ForwardBehaviour, Options][] = [
    [
      "fault 40: nobody reads the message",
      /(sending takes too long|no acknowledgement in time): over 0.2 s/,
      { onConnection: (socket, number) => void (number === 1 && socket.pause()) },
      {},
    ],
    [
      "fault 40: the server says no HELO",
      /no HELO in time: over 0.3 s/,
      {},
      { shared_key: "x", "net.connect_timeout": 0.3 },
    ],
    [
      "fault 41: a reset before anything was sent",
      /ECONNRESET|EPIPE|closed the connection/,
      { onConnection: (socket, number) => void (number === 1 && socket.resetAndDestroy()) },
      {},
    ],
    [
      "fault 41: a reset in the middle of the message",
      /ECONNRESET|EPIPE/,
      {
        onBytes(socket, _, number) {
          if (number === 1) socket.resetAndDestroy();
          return number === 1;
        },
      },
      {},
    ],
  ];
  test.each(FAULTS)("%s is met by another attempt", async (_, said, behaviour, options) => {
    using peer = await ForwardPeer.start(behaviour);
    await using setup = await Setup.start([to(peer.port, options)], FAST);
    const { collector } = setup;
    // More than the system's buffers take.
    const huge = (n: number) => `${n} ${"x".repeat(200_000)}`;
    await setup.write(0, 100, huge);
    await collector.untilLog(said);
    if ("shared_key" in options) return expect(peer.receivedBytes).toBe(0);
    await eventually(() => firstsOf(numbersOf(peer)).length === 100);
    expect(await collector.stop()).toBe(0);
    expect(firstsOf(numbersOf(peer))).toEqual(upTo(100));
  });
});

test("fault 43: a certificate that nobody vouches for is refused until the server has another", async () => {
  const certificates = makeCertificates();
  const pair = (name: string) => ({
    cert: certificates.read(`${name}.crt`),
    key: certificates.read(`${name}.key`),
  });
  const wrong = await ForwardPeer.start({}, { tls: pair("expired") });
  const { port } = wrong;
  const options = { host: "localhost", tls: "on", "tls.ca_file": certificates.path("ca.crt") };
  await using setup = await Setup.start([to(port, options)], FAST);
  await setup.write(0, 10);
  await setup.collector.untilLog(
    /Cannot deliver 10 records: .*the server's certificate has expired/,
  );
  wrong[Symbol.dispose]();
  using right = await ForwardPeer.start({}, { listen: port, tls: pair("server") });
  await eventually(() => right.bodies.length === 10);
  expect([wrong.receivedBytes, ...numbersOf(right)]).toEqual([0, ...upTo(10)]);
  certificates.remove();
});

describe("fault 47: a server that sends without an end", () => {
  test.each([
    ["nothing", Buffer.alloc(1 << 20, 0xc0)],
    ["one text", Buffer.concat([Buffer.from("dbffffffff", "hex"), Buffer.alloc(1 << 20, "x")])],
    ["one list", Buffer.concat([Buffer.from("ddffffffff", "hex"), Buffer.alloc(1 << 20)])],
  ])("%s costs next to no memory", async (_, part) => {
    using peer = await ForwardPeer.start({
      onMessage(message) {
        if (message.number === 1 || message.number > 5) return acknowledge(message);
        const { socket } = message;
        const more = () => {
          while (!socket.destroyed) if (!socket.write(part)) return void socket.once("drain", more);
        };
        more();
      },
    });
    await using setup = await Setup.start([to(peer.port, { ack_response_timeout: 5 })], FAST);
    const { collector } = setup;
    await setup.write(0, 10);
    await eventually(() => peer.messages.length === 1);
    const before = peakBytes(collector.pid);
    await setup.write(10, 20);
    await eventually(() => peer.messages.length === 6);
    expect(peakBytes(collector.pid) - before).toBeLessThan(16 << 20);
    expect(firstsOf(numbersOf(peer))).toEqual(upTo(20));
  });
});

/** A server that somebody else wrote. */
async function realServer(port: number, sharedKey: string) {
  const security = { serverHostname: "aggregator", sharedKey, authorize: false, userDict: {} };
  const server = new FluentServer({ listenOptions: { port, host: "127.0.0.1" }, security });
  const numbers: number[] = [];
  server.on("entry", (_tag, _time, body) => void numbers.push(numberOf(body)));
  await server.listen();
  return { numbers, port: server.port!, [Symbol.asyncDispose]: () => server.close() };
}

test("a login that is refused is tried again and said, and nothing is sent until it is taken", async () => {
  const wrong = await realServer(0, "another key");
  const options = { retain_metadata_in_forward_mode: "off", shared_key: "the right key" };
  await using setup = await Setup.start(
    [to(wrong.port, { ...options, compress: "gzip" })],
    FAST,
  );
  const { collector } = setup;
  await setup.write(0, 10);
  await collector.untilLog(/Cannot deliver 10 records: .*the server refuses the login/);
  await untilMetric(await collector.url(), "output_retries_total", NAME, (retries) => retries >= 2);
  await wrong[Symbol.asyncDispose]();
  await using right = await realServer(wrong.port, "the right key");
  await eventually(() => right.numbers.length === 10);
  expect(await collector.stop()).toBe(0);
  expect([...wrong.numbers, ...right.numbers]).toEqual(upTo(10));
  expect(collector.stderr).not.toContain("the right key");
});

test.each([false, true])(
  "what was sent without acknowledgements arrives, also when the program ends at once, TLS: %p",
  async (overTls) => {
    const certificates = makeCertificates();
    const tls = { cert: certificates.read("server.crt"), key: certificates.read("server.key") };
    let read: (() => void) | undefined;
    using peer = await ForwardPeer.start({
      onConnection(socket) {
        socket.pause();
        read = () => socket.resume();
      },
    }, overTls ? { tls } : {});
    const options = {
      require_ack_response: "off",
      tls: overTls,
      "tls.ca_file": certificates.path("ca.crt"),
    };
    await using setup = await Setup.start([to(peer.port, options)], FAST);
    await setup.write(0, 100, wide);
    const url = await setup.collector.url();
    await untilMetric(url, "output_proc_records_total", NAME, (records) => records === 100);
    expect(await setup.collector.stop()).toBe(0);
    expect(peer.messages).toEqual([]);
    read!();
    await eventually(() => peer.bodies.length === 100);
    expect(numbersOf(peer)).toEqual(upTo(100));
    certificates.remove();
  },
);
