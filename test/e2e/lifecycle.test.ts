import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { Collector } from "../support/binary.ts";
import { eventually } from "../support/eventually.ts";
import { HttpSink } from "../support/http-sink.ts";
import { untilAnswer } from "../support/metric.ts";
import { TempFolder } from "../support/temp-folder.ts";

// What ends a test that waits in vain are the deadlines of what it waits for.
setDefaultTimeout(60_000);

const JSON_LINES = ["-o", "stdout", "-p", "format=json_lines", "-p", "json_date_key=off"];
const tail = (path: string) => ["-i", "tail", "-p", `path=${path}`, "-p", "read_from_head=on"];

function lines(count: number, from = 0): string {
  return Array.from({ length: count }, (_, i) => `${from + i}\n`).join("");
}

const numbers = (collector: Collector) => collector.records.map(({ log }) => Number(log));
const upTo = (count: number) => Array.from({ length: count }, (_, i) => i);

describe("a stop", () => {
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    test(`on ${signal} delivers what was read, long before the flush interval, status 0`, async () => {
      using folder = new TempFolder();
      const path = folder.at("app.log");
      await Bun.write(path, lines(3000));
      await using collector = new Collector([
        "-f",
        "3600",
        "-H",
        "-P",
        "0",
        ...tail(path),
        ...JSON_LINES,
      ]);
      const url = await collector.url();
      await read(url, 3000);
      expect(collector.stdout).toBe("");
      expect(await collector.stop(signal)).toBe(0);
      expect(numbers(collector)).toEqual(upTo(3000));
      expect(collector.messages).toEqual(
        expect.arrayContaining([`main: Stopping on ${signal}`, "main: Stopped"]),
      );
    });
  }

  test("fault 58: during the start ends the program", async () => {
    await using collector = new Collector(["-i", "dummy", ...JSON_LINES]);
    // Before the handlers are there the signal itself ends the process.
    expect([0, 143]).toContain(await collector.stop());
  });

  test("waits for a slow destination no longer than grace, and says what was not delivered", async () => {
    using sink = new HttpSink();
    sink.status = 503;
    using folder = new TempFolder();
    const config = folder.at("config.yaml");
    await Bun.write(config, dummyTo(sink.port, "grace: 0.2"));
    await using collector = new Collector(["-c", config]);
    await eventually(() => sink.refused > 0);
    expect(await collector.stop()).toBe(0);
    expect(collector.log).toContainEqual(expect.objectContaining({
      level: "error",
      message: "Stopped with 1 record not delivered by http.0",
    }));
    expect(sink.bodies).toEqual([]);
  });

  test("delivers within grace when the destination comes back", async () => {
    using sink = new HttpSink();
    sink.status = 503;
    using folder = new TempFolder();
    const config = folder.at("config.yaml");
    await Bun.write(config, dummyTo(sink.port, "grace: 60"));
    await using collector = new Collector(["-c", config]);
    await eventually(() => sink.refused > 0);
    collector.signal("SIGTERM");
    await collector.untilLog("Stopping on SIGTERM");
    sink.status = 200;
    expect(await collector.exit()).toBe(0);
    expect(sink.records).toMatchObject([{ n: 1 }]);
  });

  test("is cut short by another signal, status 1", async () => {
    using sink = new HttpSink();
    sink.status = 503;
    using folder = new TempFolder();
    const config = folder.at("config.yaml");
    await Bun.write(config, dummyTo(sink.port, "grace: 3600"));
    await using collector = new Collector(["-c", config]);
    await eventually(() => sink.refused > 0);
    collector.signal("SIGINT");
    await collector.untilLog("Stopping on SIGINT");
    // One that follows at once is the same key press, and changes nothing; so it is sent until it counts.
    const pressing = setInterval(() => collector.signal("SIGINT"), 50);
    try {
      expect(await collector.exit()).toBe(1);
    } finally {
      clearInterval(pressing);
    }
    expect(collector.stderr).toContain("Stopping at once on another SIGINT");
  });
});

describe("SIGHUP", () => {
  test("without a terminal reloads, also where there is no file to read again", async () => {
    await using collector = new Collector(["-f", "0.05", "-i", "stdin", ...JSON_LINES], {
      interactive: true,
    });
    await collector.untilLog("started");
    collector.signal("SIGHUP");
    await collector.untilLog(
      "Reloaded the configuration: inputs, filters and outputs are the same",
    );
    collector.type('{"n":1}\n');
    await collector.untilRecords(1);
    expect(await collector.stop()).toBe(0);
  });
});

describe("a closed standard output", () => {
  const CASES = {
    "the output stdout": ["-o", "stdout", "-p", "format=json_lines"],
    "the filter stdout": ["-F", "stdout", "-m", "*", "-o", "null"],
  };
  for (const [name, args] of Object.entries(CASES)) {
    test(`does not end ${name}`, async () => {
      await using collector = new Collector(
        ["-f", "0.02", "-H", "-P", "0", "-i", "stdin", ...args],
        { interactive: true },
      );
      const url = await collector.url();
      await collector.closeStdout();
      for (let i = 1; i <= 20; i++) {
        collector.type(`{"n":${i}}\n`);
        await read(url, i);
      }
      expect((await fetch(`${url}/api/v1/uptime`)).status).toBe(200);
      expect(await collector.stop()).toBe(0);
    });
  }
});

describe("the exit status", () => {
  test("is the one that a filter asks for", async () => {
    const { status } = await Collector.run(
      ["-i", "stdin", "-F", "expect", "-m", "*", "-p", "key_exists=$here", "-p", "action=exit"]
        .concat("-o", "null"),
      { stdin: '{"there":1}\n' },
    );
    expect(status).toBe(255);
  });

  test("is 1 when the port of the HTTP server is taken, with one clear line", async () => {
    using sink = new HttpSink();
    const collector = await Collector.run(
      ["-H", "-P", String(sink.port), "-i", "dummy", ...JSON_LINES],
    );
    expect(collector.status).toBe(1);
    expect(collector.stdout).toBe("");
    expect(collector.log).toHaveLength(1);
    expect(collector.log[0]).toMatchObject({ level: "error", component: "main" });
    expect(collector.log[0]!.message).toMatch(
      new RegExp(
        `^Cannot serve HTTP on 127\\.0\\.0\\.1:${sink.port}: .*; choose another http_port$`,
      ),
    );
  });

  test("is 2 when the log file cannot be opened", async () => {
    const { status, stderr } = await Collector.run(
      ["-l", "/nowhere/at/all.log", "-i", "dummy", ...JSON_LINES],
    );
    expect([status, stderr.split("\n").length]).toEqual([2, 2]);
    expect(stderr).toContain("/nowhere/at/all.log");
  });
});

/** One record to an HTTP destination that is tried again every second or two. */
function dummyTo(port: number, service: string): string {
  return `service: {flush: 0.02, scheduler.base: 1, scheduler.cap: 1, ${service}}
pipeline:
  inputs:
    - {name: dummy, samples: 1, flush_on_startup: on, dummy: '{"n":1}'}
  outputs:
    - {name: http, match: '*', host: 127.0.0.1, port: ${port}, format: json_lines}
`;
}

/** Waits until so many records were read. */
async function read(url: string, records: number): Promise<void> {
  let seen = 0;
  await untilAnswer(async () => {
    const body = await (await fetch(`${url}/api/v1/metrics`)).json() as {
      input: Record<string, { records: number }>;
    };
    seen = Object.values(body.input)[0]!.records;
    return seen >= records;
  }, () => `${records} records; ${seen} were read`);
}
