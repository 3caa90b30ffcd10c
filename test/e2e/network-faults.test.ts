import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { gunzipSync, gzipSync } from "node:zlib";
import { type Certificates, makeCertificates } from "../plugins/outputs/certificates.ts";
import { eventually } from "../support/eventually.ts";
import {
  firstsOf,
  type Options,
  PAUSE_MS,
  peakBytes,
  Setup,
  upTo,
} from "../support/fault-setup.ts";
import { metric, untilMetric } from "../support/metric.ts";
import { type Exchange, OK, RawServer } from "../support/raw-server.ts";

// What ends a test that waits in vain are the deadlines of what it waits for.
setDefaultTimeout(60_000);

function to(port: number, options: Options = {}): Options {
  return { name: "http", match: "*", host: "127.0.0.1", port, format: "json_lines", ...options };
}

const numbersOf = (server: RawServer): number[] =>
  server.records.map(({ log }) => parseInt(String(log)));
const answer = (status: number, headers = "") =>
  `HTTP/1.1 ${status} x\r\nContent-Length: 0\r\n${headers}\r\n`;

/** Milliseconds between each request and the one before. */
const gapsOf = (times: readonly number[]): number[] =>
  times.slice(1).map((at, i) => at - times[i]!);

const never = () => undefined;

describe("a server that asks for a pause", () => {
  const inTwoSeconds = () => new Date(Date.now() + 2000).toUTCString();
  test.each([
    ["429 with Retry-After in seconds", 429, () => "1"],
    ["503 with Retry-After as a date", 503, inTwoSeconds],
  ])("fault 38: %s is honoured, by every payload", async (_, status, retryAfter) => {
    const times: number[] = [];
    using server = await RawServer.start({
      onBody({ number, socket }) {
        times.push(performance.now());
        const refusal = answer(status, `Retry-After: ${retryAfter()}\r\n`);
        socket.write(number === 1 ? refusal : OK);
      },
    });
    await using setup = await Setup.start([to(server.port, { retry_limit: "no_retries" })]);
    const { collector } = setup;
    await setup.write(0, 10);
    await collector.untilLog(/Dropped 10 records after 1 attempt: .*status is (429|503)/);
    await setup.write(10, 20);
    await eventually(() => server.exchanges.length >= 2);
    // A date counts whole seconds. Without the header it would be 0.3 s at most.
    expect(gapsOf(times)[0]).toBeGreaterThan(900);
    expect(numbersOf(server)).toEqual(upTo(20));
  });
});

describe("a server that fails and comes back", () => {
  test("fault 39: a storm of 500 and flapping keep the order, and nothing comes twice", async () => {
    const storm = [200, 500, 500, 500, 500, 200, 500, 200, 500, 200, 500, 500, 200, 200, 500];
    const attempts: { at: number; status: number }[] = [];
    const taken: number[] = [];
    using server = await RawServer.start({
      onBody({ number, socket, body }) {
        const status = storm[number - 1] ?? 200;
        attempts.push({ at: performance.now(), status });
        if (status === 200) taken.push(...body.toString().split("\n").filter(Boolean).map(logOf));
        socket.write(answer(status));
      },
    });
    await using setup = await Setup.start([to(server.port)]);
    const { collector } = setup;
    for (let i = 0; i < 10; i++) {
      const before = server.exchanges.length;
      await setup.write(i * 100, (i + 1) * 100);
      await eventually(() => server.exchanges.length > before);
    }
    await eventually(() => taken.length >= 1000);
    expect(taken).toEqual(upTo(1000));
    const failed = attempts.filter(({ status }) => status === 500).length;
    const retries = await metric(await collector.url(), "output_retries_total", { name: "http.0" });
    expect(retries).toBe(failed);
    await collector.untilLog(/Cannot deliver \d+ records: .*status is 500; next attempt in 0.\d s/);
    // However many payloads wait, there is one attempt for each pause.
    attempts.forEach(({ at, status }, i) => {
      if (status === 500) expect(attempts[i + 1]!.at - at).toBeGreaterThan(PAUSE_MS / 2 - 5);
    });
  });
});

/** What may go wrong with one request. Those that take time are cut off by the limits that the test sets. */
const FAULTS: readonly {
  readonly name: string;
  readonly said: RegExp;
  readonly onHead?: (exchange: Exchange) => void;
  readonly onBody?: (exchange: Exchange) => void;
}[] = [
  { name: "fault 40: no answer", said: /no answer in time: over 0.4 s/, onBody: never },
  {
    name: "fault 40: an answer whose headers come byte by byte",
    said: /no answer in time: over 0.4 s/,
    onBody: ({ socket }) => drip(socket, `HTTP/1.1 200 OK\r\nX-Long: ${"x".repeat(10_000)}`),
  },
  {
    name: "fault 40: an answer whose body comes byte by byte",
    said: /no answer in time: over 0.4 s/,
    onBody({ socket }) {
      socket.write("HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\n");
      drip(socket, "x".repeat(10_000));
    },
  },
  {
    name: "fault 40: an answer that stands still after a chunk",
    said: /the answer stands still: over 0.2 s/,
    onBody: ({ socket }) =>
      void socket.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"),
  },
  {
    name: "fault 40: nobody reads the request",
    said: /over 0.4 s/,
    onHead: ({ socket }) => void socket.pause(),
  },
  {
    name: "fault 41: a reset in the middle of the request",
    said: /ECONNRESET|EPIPE/,
    onHead: ({ socket }) => void socket.resetAndDestroy(),
  },
  {
    name: "fault 41: a reset in the middle of the answer's headers",
    said: /ECONNRESET/,
    onBody({ socket }) {
      socket.write("HTTP/1.1 200 OK\r\nConte", () => socket.resetAndDestroy());
    },
  },
  {
    name: "fault 41: an answer that is cut short",
    said: /ECONNRESET|cut short/,
    onBody: ({ socket }) => void socket.end("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc"),
  },
  {
    name: "a server that takes the request and closes",
    said: /ECONNRESET|hang up/,
    onBody: ({ socket }) => void socket.end(),
  },
  {
    name: "a server that answers something else than HTTP",
    said: /Parse Error|HPE_|malformed/i,
    onBody: ({ socket }) => void socket.end("220 smtp.example ESMTP\r\n"),
  },
];

/** Sends a byte every few milliseconds, for as long as somebody wants them. */
function drip(socket: Exchange["socket"], text: string): void {
  let at = 0;
  const timer = setInterval(() => {
    if (socket.destroyed || at === text.length) clearInterval(timer);
    else socket.write(text[at++]!);
  }, 20);
}

function logOf(line: string): number {
  return parseInt(JSON.parse(line).log);
}

describe.each([["first", 1], ["second", 2]] as const)("in the %s request", (_, faulty) => {
  for (const { name, said, onHead, onBody } of FAULTS) {
    test(`${name} is met by another attempt, with duplicates at most`, async () => {
      using server = await RawServer.start({
        onHead(exchange) {
          if (exchange.number === faulty) onHead?.(exchange);
        },
        onBody(exchange) {
          if (exchange.number === faulty && onBody) onBody(exchange);
          else exchange.socket.write(OK);
        },
      });
      await using setup = await Setup.start([
        to(server.port, { "http.response_timeout": 0.4, "http.read_idle_timeout": 0.2 }),
      ]);
      const { collector } = setup;
      const wide = (n: number) => `${n} ${"x".repeat(2000)}`;
      for (let i = 1; i <= faulty; i++) {
        await setup.write((i - 1) * 100, i * 100, wide);
        await eventually(() => firstsOf(numbersOf(server)).length === i * 100);
      }
      await setup.write(faulty * 100, faulty * 100 + 1);
      await eventually(() => numbersOf(server).includes(faulty * 100));
      expect(await collector.stop()).toBe(0);
      expect(firstsOf(numbersOf(server))).toEqual(upTo(faulty * 100 + 1));
      const [failed, again] = server.exchanges.slice(faulty - 1).map(({ socket }) => socket);
      expect(failed === again).toBe(false);
      if (faulty === 1) expect(collector.stderr).toMatch(said);
    });
  }
});

describe("a name", () => {
  test("fault 42: that does not resolve is asked for again and again, and said", async () => {
    await using setup = await Setup.start([to(80, { host: "no-such-host.invalid" })]);
    const { collector } = setup;
    await setup.write(0, 10);
    await collector.untilLog(
      /Cannot deliver 10 records: .*(ENOTFOUND|EAI_AGAIN).*no-such-host.invalid/,
    );
    const name = { name: "http.0" };
    await untilMetric(await collector.url(), "output_retries_total", name, (value) => value >= 2);
    expect(await metric(await collector.url(), "output_dropped_records_total", name)).toBe(0);
  });

  test("fault 42: a server that there is over IPv6 only is reached", async () => {
    using server = await RawServer.start({}, { host: "::1" });
    await using setup = await Setup.start([to(server.port, { host: "::1" })]);
    await setup.write(0, 10);
    await eventually(() => server.exchanges.length > 0);
    expect(numbersOf(server)).toEqual(upTo(10));
    expect(server.exchanges[0]!.head).toContain(`Host: [::1]:${server.port}`);
  });
});

describe("TLS", () => {
  let certificates: Certificates;
  let others: Certificates;
  beforeAll(() => {
    certificates = makeCertificates();
    others = makeCertificates();
  });
  afterAll(() => {
    certificates.remove();
    others.remove();
  });

  const serverTls = (name: string) => {
    const [of, as] = name === "stranger" ? [others, "server"] : [certificates, name];
    return { key: of.read(`${as}.key`), cert: of.read(`${as}.crt`) };
  };
  const strict = () => ({
    tls: "on",
    host: "localhost",
    "tls.verify_hostname": "on",
    "tls.ca_file": certificates.path("ca.crt"),
  });

  test.each([
    ["an expired certificate", "expired", /the server's certificate has expired/],
    ["a certificate for another name", "elsewhere", /altnames: DNS:elsewhere\.example/],
    ["an unknown authority", "stranger", /no trusted authority .*: see tls\.ca_file/],
  ])("fault 43: %s is said, and nothing goes out before it is right", async (_, name, said) => {
    const wrong = await RawServer.start({}, { tls: serverTls(name) });
    await using setup = await Setup.start([to(wrong.port, strict())]);
    const { collector } = setup;
    await setup.write(0, 10);
    await collector.untilLog(said);
    const label = { name: "http.0" };
    await untilMetric(await collector.url(), "output_retries_total", label, (value) => value >= 2);
    expect(wrong.exchanges.length).toBe(0);
    wrong[Symbol.dispose]();
    using right = await RawServer.start({}, { tls: serverTls("server"), port: wrong.port });
    await eventually(() => right.exchanges.length > 0);
    expect(await collector.stop()).toBe(0);
    expect(numbersOf(right)).toEqual(upTo(10));
  });

  test("fault 43: a server that demands a certificate gets nothing without, and all with it", async () => {
    const tls = { ...serverTls("server"), requestCert: true, rejectUnauthorized: true };
    const ca = certificates.read("ca.crt");
    using server = await RawServer.start({}, { tls: { ...tls, ca } });
    {
      await using without = await Setup.start([to(server.port, strict())]);
      const { collector } = without;
      await without.write(0, 10);
      await collector.untilLog(/Cannot deliver 10 records: .*set tls\.crt_file and tls\.key_file/);
      expect(server.exchanges.length).toBe(0);
    }
    const own = {
      "tls.crt_file": certificates.path("client.crt"),
      "tls.key_file": certificates.path("client.key"),
    };
    await using setup = await Setup.start([to(server.port, { ...strict(), ...own })]);
    await setup.write(0, 10);
    await eventually(() => server.exchanges.length > 0);
    expect(numbersOf(server)).toEqual(upTo(10));
  });

  test("fault 43: a server that does not speak TLS never sees plain text", async () => {
    const seen: Buffer[] = [];
    using server = await RawServer.start({}, {
      onConnection(socket) {
        socket.on("data", (part: Buffer) => {
          seen.push(part);
          socket.end("HTTP/1.1 400 Bad Request\r\n\r\n");
        });
      },
    });
    await using setup = await Setup.start([to(server.port, strict())]);
    const { collector } = setup;
    await setup.write(0, 10, (n) => `secret ${n}`);
    await collector.untilLog(/Cannot deliver 10 records: .*does not speak TLS/);
    await eventually(() => seen.length >= 3);
    expect(Buffer.concat(seen).toString("latin1")).not.toMatch(/secret|POST|HTTP/);
    expect(seen[0]![0]).toBe(0x16);
  });
});

test("fault 44: a redirect to another host is not followed, and credentials never get there", async () => {
  using other = await RawServer.start();
  // The second one comes when the server has just answered, which is another way through the client.
  const statuses = [301, 200, 302, 303, 307, 308];
  using server = await RawServer.start({
    onBody({ number, socket }) {
      const location = `Location: http://127.0.0.1:${other.port}/\r\n`;
      const status = statuses[number - 1] ?? 200;
      socket.write(status === 200 ? OK : answer(status, location));
    },
  });
  const credentials = { http_user: "me", http_passwd: "pw", header: "X-Key secret" };
  await using setup = await Setup.start([to(server.port, credentials)]);
  const { collector } = setup;
  await setup.write(0, 10);
  await collector.untilLog(`a redirect to 127.0.0.1:${other.port}, which is not followed`);
  await eventually(() => server.exchanges.length >= 2);
  await setup.write(10, 20);
  await eventually(() => server.exchanges.length > statuses.length);
  expect(other.exchanges.length).toBe(0);
  expect(firstsOf(numbersOf(server))).toEqual(upTo(20));
});

describe("a server that refuses", () => {
  test("fault 45: 400 costs that payload, and the next one goes on", async () => {
    using server = await RawServer.start({
      onBody: ({ number, socket }) => void socket.write(number === 2 ? answer(400) : OK),
    });
    await using setup = await Setup.start([to(server.port)]);
    const { collector } = setup;
    for (let i = 0; i < 3; i++) {
      await setup.write(10 * i, 10 * (i + 1));
      await eventually(() => server.exchanges.length === i + 1);
    }
    await collector.untilLog(/Dropped 10 records: .*status is 400/);
    const labels = { kind: "output", name: "http.0", reason: "refused" };
    expect(await metric(await collector.url(), "dropped_records_total", labels)).toBe(10);
    expect(await metric(await collector.url(), "output_retries_total", { name: "http.0" })).toBe(0);
  });

  test.each(["gzip", "none"])("fault 45: 413 is met by smaller requests, %s", async (compress) => {
    const taken: number[] = [];
    using server = await RawServer.start({
      onBody({ socket, body }) {
        if (body.length > 20_000) return void socket.write(answer(413));
        const text = (compress === "gzip" ? gunzipSync(body) : body).toString();
        taken.push(...text.trimEnd().split("\n").map(logOf));
        socket.write(OK);
      },
    });
    await using setup = await Setup.start([
      to(server.port, compress === "gzip" ? { compress } : {}),
    ]);
    const { collector } = setup;
    const noise = (bytes: number) => randomBytes(bytes).toString("base64");
    await setup.write(0, 500, (n) => `${n} ${noise(n === 250 ? 20_000 : 150)}`);
    await eventually(() => taken.includes(499));
    await collector.untilLog(/Dropped 1 record: .*status is 413/);
    expect(taken).toEqual(upTo(500).filter((n) => n !== 250));
    const labels = { kind: "output", name: "http.0", reason: "refused" };
    expect(await metric(await collector.url(), "dropped_records_total", labels)).toBe(1);
  });

  test("fault 45: 413 is understood although the request was not read to its end", async () => {
    const taken: number[] = [];
    using server = await RawServer.start({
      onHead({ socket, head }) {
        if (Number(/content-length: (\d+)/i.exec(head)![1]) <= 20_000) return;
        socket.pause();
        socket.end(answer(413, "Connection: close\r\n"));
      },
      onBody({ socket, body }) {
        if (body.length > 20_000) return;
        taken.push(...body.toString().trimEnd().split("\n").map(logOf));
        socket.write(OK);
      },
    });
    await using setup = await Setup.start([to(server.port)]);
    await setup.write(0, 100, (n) => `${n} ${"x".repeat(2000)}`);
    await eventually(() => taken.length === 100);
    await setup.write(100, 200, (n) => `${n} ${"x".repeat(2000)}`);
    await eventually(() => taken.length >= 200);
    expect(taken).toEqual(upTo(200));
  });
});

const MiB = 1 << 20;

describe("fault 47: an answer without an end", () => {
  const endless = (socket: Exchange["socket"], head: string, part: Buffer) => {
    socket.write(head);
    let left = 1024 * MiB;
    const more = () => {
      while (!socket.destroyed && left > 0) {
        left -= part.length;
        if (!socket.write(part)) return void socket.once("drain", more);
      }
    };
    more();
  };
  const zeros = Buffer.alloc(MiB, "0");
  const chunk = Buffer.from(`${MiB.toString(16)}\r\n${"0".repeat(MiB)}\r\n`);
  const headers = Buffer.from("X-Header: aaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n".repeat(1000));
  const ANSWERS = [
    ["of a gigabyte", "Content-Length: 1073741824\r\n\r\n", zeros],
    ["in chunks", "Transfer-Encoding: chunked\r\n\r\n", chunk],
    ["of zeros, packed", "Content-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n", bomb()],
    ["of headers", "", headers],
  ] as const;
  // Without it every request takes the long way through the client, with it all but the first take the quick one.
  const KEEPALIVE = ["on", "off"];
  const cases = KEEPALIVE.flatMap((keepalive) =>
    ANSWERS.map(([name, head, part]) => ({ name, keepalive, head, part }))
  );
  test.each(cases)("$name, keepalive $keepalive, costs next to no memory", async (of) => {
    const statuses = [200, 503, 200, 503, 200];
    using server = await RawServer.start({
      onBody({ number, socket }) {
        const status = statuses[number - 2];
        if (status === undefined) socket.write(OK);
        else endless(socket, `HTTP/1.1 ${status} x\r\n${of.head}`, of.part);
      },
    });
    const limits = { "http.response_timeout": 5, "net.keepalive": of.keepalive };
    await using setup = await Setup.start([to(server.port, limits)]);
    const { collector } = setup;
    await setup.write(0, 10);
    await eventually(() => server.exchanges.length === 1);
    const before = peakBytes(collector.pid);
    for (let i = 1; i < 6; i++) {
      await setup.write(10 * i, 10 * (i + 1));
      await eventually(() => numbersOf(server).includes(10 * i + 9));
    }
    await eventually(() => server.exchanges.length > statuses.length);
    expect(peakBytes(collector.pid) - before).toBeLessThan(16 * MiB);
    expect(firstsOf(numbersOf(server))).toEqual(upTo(60));
  });
});

/** A chunk of 64 kB that unpacks to 64 MB. */
function bomb(): Buffer {
  const packed = gzipSync(Buffer.alloc(64 * MiB));
  const length = Buffer.from(`${packed.length.toString(16)}\r\n`);
  return Buffer.concat([length, packed, Buffer.from("\r\n")]);
}

describe("fault 49: of two outputs", () => {
  const DEAD = {
    "refuses connections": undefined,
    "never answers": { onBody: never },
    "answers 503": { onBody: ({ socket }: Exchange) => void socket.write(answer(503)) },
  };
  test.each(Object.entries(DEAD))(
    "one that %s does not hold the other up",
    async (_, behaviour) => {
      const dead = await RawServer.start(behaviour);
      if (behaviour === undefined) dead[Symbol.dispose]();
      using alive = await RawServer.start();
      const limits = { "http.response_timeout": 0.3 };
      await using setup = await Setup.start([to(dead.port, limits), to(alive.port, limits)], {
        onDisk: true,
      });
      const { collector } = setup;
      await collector.untilLog("started");
      // More than a queue in memory holds.
      const wide = (n: number) => `${n} ${"x".repeat(2000)}`;
      for (let i = 0; i < 15; i++) {
        await setup.write(i * 100, (i + 1) * 100, wide);
        await eventually(() => numbersOf(alive).length === (i + 1) * 100, undefined, 2000);
      }
      dead[Symbol.dispose]();
      using back = await RawServer.start({}, { port: dead.port });
      await eventually(() => firstsOf(numbersOf(back)).length === 1500);
      expect(await collector.stop()).toBe(0);
      expect(numbersOf(alive)).toEqual(upTo(1500));
      expect(numbersOf(back)).toEqual(upTo(1500));
    },
  );
});
