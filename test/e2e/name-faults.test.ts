import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { appendFileSync, writeFileSync } from "node:fs";
import { Collector } from "../support/binary.ts";
import { eventually } from "../support/eventually.ts";
import { untilMetric } from "../support/metric.ts";
import { RawServer } from "../support/raw-server.ts";
import { TempFolder } from "../support/temp-folder.ts";

// What ends a test that waits in vain are the deadlines of what it waits for.
setDefaultTimeout(60_000);

/** Names that are nobody's, by the rules for such names. */
const NAME = "collector-test.invalid";
const OTHER = "other-test.invalid";

/** A view of the system's files of its own, in which names are looked up in our file, and nowhere else. */
const NAMESPACE = ["unshare", "--user", "--map-root-user", "--mount", "/bin/bash", "-c"];
const SCRIPT =
  'mount --bind "$0/hosts" /etc/hosts && mount --bind "$0/nsswitch.conf" /etc/nsswitch.conf && exec "$@"';

function noOwnNames(): string | undefined {
  using folder = new TempFolder();
  prepare(folder);
  const { exitCode, stderr } = Bun.spawnSync([...NAMESPACE, SCRIPT, folder.path, "true"]);
  return exitCode === 0 ? undefined : stderr.toString().trim();
}

function prepare(folder: TempFolder): void {
  writeFileSync(folder.at("hosts"), "");
  writeFileSync(folder.at("nsswitch.conf"), "hosts: files\n");
}

const missing = noOwnNames();
if (missing !== undefined) console.log(`Not tested: names that change, as ${missing}`);

/** A collector that sends numbered lines to a name. */
class Setup implements AsyncDisposable {
  readonly collector: Collector;
  private readonly folder = new TempFolder();
  private written = 0;

  constructor(port: number, hosts = "") {
    const { folder } = this;
    prepare(folder);
    this.setHosts(hosts);
    const output = { name: "http", match: "*", host: NAME, port, format: "json_lines" };
    const config = {
      service: {
        flush: 0.05,
        "scheduler.base": 0.1,
        "scheduler.cap": 0.2,
        http_server: "on",
        http_port: 0,
      },
      pipeline: {
        inputs: [{ name: "tail", path: folder.at("app.log"), read_from_head: true }],
        outputs: [output],
      },
    };
    writeFileSync(folder.at("config.yaml"), JSON.stringify(config));
    this.collector = new Collector(["-c", folder.at("config.yaml")], {
      via: [...NAMESPACE, SCRIPT, folder.path],
    });
  }

  /** What names stand for from now on. */
  setHosts(hosts: string): void {
    // In its place: what is mounted is this file, not its name.
    writeFileSync(this.folder.at("hosts"), hosts);
  }

  write(count: number): number {
    for (let i = 0; i < count; i++) {
      appendFileSync(this.folder.at("app.log"), `${this.written++}\n`);
    }
    return this.written;
  }

  async untilRetries(count: number): Promise<void> {
    const url = await this.collector.url();
    await untilMetric(url, "output_retries_total", { name: "http.0" }, (n) => n >= count);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.collector[Symbol.asyncDispose]();
    this.folder[Symbol.dispose]();
  }
}

const numbersOf = (...servers: RawServer[]) =>
  servers.flatMap(({ records }) => records.map(({ log }) => Number(log)));
const upTo = (count: number) => Array.from({ length: count }, (_, i) => i);

describe.skipIf(missing !== undefined)("fault 42: a name", () => {
  for (
    const [what, address] of [["IPv4", "127.0.0.1"], ["IPv6 only", "::1"]] as const
  ) {
    test(`that does not resolve at first, then to ${what}: everything is delivered once`, async () => {
      using server = await RawServer.start({}, { host: address });
      await using setup = new Setup(server.port, `127.0.0.1 ${OTHER}\n`);
      setup.write(10);
      await setup.collector.untilLog(/Cannot deliver 10 records: .*collector-test\.invalid/);
      await setup.untilRetries(3);
      setup.write(10);
      setup.setHosts(`${address} ${NAME}\n`);
      await eventually(() => numbersOf(server).length >= 20, undefined, 30_000);
      expect(await setup.collector.stop()).toBe(0);
      expect(numbersOf(server)).toEqual(upTo(20));
    });
  }

  test("that comes to stand for another address: what follows goes there once the old one is gone", async () => {
    using first = await RawServer.start({}, { host: "127.0.0.1" });
    await using setup = new Setup(first.port, `127.0.0.1 ${NAME}\n`);
    setup.write(10);
    await eventually(() => numbersOf(first).length === 10);
    using second = await RawServer.start({}, { host: "127.0.0.2", port: first.port });
    setup.setHosts(`127.0.0.2 ${NAME}\n`);
    first[Symbol.dispose]();
    setup.write(10);
    await eventually(() => numbersOf(second).length >= 10, undefined, 50_000);
    expect(await setup.collector.stop()).toBe(0);
    expect(numbersOf(first, second)).toEqual(upTo(20));
  });

  test("of several addresses of which only one answers is reached there", async () => {
    using server = await RawServer.start({}, { host: "127.0.0.3" });
    await using setup = new Setup(
      server.port,
      `127.0.0.1 ${NAME}\n127.0.0.2 ${NAME}\n127.0.0.3 ${NAME}\n::1 ${NAME}\n`,
    );
    setup.write(10);
    await eventually(() => numbersOf(server).length >= 10, undefined, 30_000);
    expect(await setup.collector.stop()).toBe(0);
    expect(numbersOf(server)).toEqual(upTo(10));
  });
});
