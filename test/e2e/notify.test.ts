import { expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, renameSync, writeFileSync } from "node:fs";
import { Collector, type StartOptions } from "../support/binary.ts";
import { eventually } from "../support/eventually.ts";
import { NotifyListener } from "../support/notify-listener.ts";
import { TempFolder } from "../support/temp-folder.ts";

// What ends a test that waits in vain are the deadlines of what it waits for.
setDefaultTimeout(60_000);

/** A collector whose service manager is the test. */
class Service implements AsyncDisposable {
  readonly folder = new TempFolder();
  private listening: NotifyListener | undefined;
  private started: Collector | undefined;

  /** Writes the configuration as a whole: nobody is to read a half of it. */
  write(text: string): void {
    writeFileSync(this.folder.at("new"), text);
    renameSync(this.folder.at("new"), this.config);
  }

  get config(): string {
    return this.folder.at("config.yaml");
  }

  get collector(): Collector {
    return this.started!;
  }

  start(text: string, { address = this.folder.at("notify"), env = {}, ...options }:
    & StartOptions
    & { readonly address?: string } = {}): Collector {
    this.write(text);
    writeFileSync(this.folder.at("in.log"), "one\n");
    this.listening = new NotifyListener(address);
    this.started = new Collector(["-c", this.config], {
      cwd: this.folder.path,
      ...options,
      env: { NOTIFY_SOCKET: address, ...env },
    });
    return this.started;
  }

  get listener(): NotifyListener {
    return this.listening!;
  }

  async until(wanted: RegExp): Promise<readonly string[]> {
    return await this.listener.until(wanted, () => this.started!.stderr);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.started?.[Symbol.asyncDispose]();
    this.listening?.[Symbol.dispose]();
    this.folder[Symbol.dispose]();
  }
}

const pipeline = (service: string, output: string, more = "") => `
service: { flush: 0.05, ${service} }
pipeline:
  inputs: [{ name: tail, tag: t, path: in.log, read_from_head: on }]
  outputs: [{ ${output}, match: '*' }]
${more}`;

for (const kind of ["path", "abstract name"]) {
  test(`a service manager by ${kind} is told of the start, reloads and the stop`, async () => {
    await using service = new Service();
    const name = service.folder.at("notify");
    const collector = service.start(pipeline("grace: 1", "name: 'null'"), {
      address: kind === "path" ? name : `@${name}`,
    });
    expect(await service.until(/^READY=1/)).toEqual([
      expect.stringMatching(/^READY=1\nSTATUS=1 input, 1 output, \d+ records? delivered$/),
    ]);

    service.write(pipeline("grace: 1", "name: stdout", "# changed"));
    collector.signal("SIGHUP");
    const [reloading, ready] = (await service.until(/^READY=1/)).filter((message) =>
      !message.startsWith("STATUS=")
    );
    expect(reloading).toMatch(
      /^RELOADING=1\nSTATUS=Reloading the configuration\nMONOTONIC_USEC=\d+$/,
    );
    expect(ready).toMatch(/^READY=1\nSTATUS=1 input, 1 output, \d+ records? delivered$/);

    service.write(pipeline("grace: 1", "name: nul", "# wrong"));
    collector.signal("SIGHUP");
    const refused = (await service.until(/^READY=1/)).at(-1)!;
    expect(refused).toStartWith("READY=1\nSTATUS=last reload refused: ");
    expect(refused).toContain(`config.yaml:5:21: unknown output "nul"`);

    service.write(pipeline("grace: 1", "name: stdout"));
    collector.signal("SIGHUP");
    expect((await service.until(/^READY=1/)).at(-1)).toStartWith("READY=1\nSTATUS=1 input");

    expect(await collector.stop()).toBe(0);
    const [stopping, ...rest] = (await service.until(/^STOPPING=1/)).filter((message) =>
      !message.startsWith("STATUS=")
    );
    expect(stopping).toBe(
      "STOPPING=1\nSTATUS=Stopping: delivering what waits\nEXTEND_TIMEOUT_USEC=31000000",
    );
    expect(rest).toEqual([]);
    expect(service.listener.read()).toEqual([]);
  });
}

test("a run that ends on its own tells the service manager so", async () => {
  await using service = new Service();
  const collector = service.start(
    `pipeline: { inputs: [{ name: stdin }], outputs: [{ name: stdout }] }`,
    { stdin: "{}\n" },
  );
  expect(await collector.exit()).toBe(0);
  const messages = await service.until(/^STOPPING=1/);
  expect(messages[0]).toStartWith("READY=1");
});

test("a configuration that is wrong never makes the service ready, and a dry run tells nothing", async () => {
  await using service = new Service();
  expect(await service.start("pipeline: { inputs: [{ name: no }] }").exit()).toBe(2);
  service.write(pipeline("grace: 1", "name: stdout"));
  const dry = await Collector.run(["-c", service.config, "--dry-run"], {
    env: { NOTIFY_SOCKET: service.folder.at("notify") },
  });
  expect(dry.status).toBe(0);
  expect(service.listener.read()).toEqual([]);
});

test("the status names an output that waits, and goes on when it does not", async () => {
  await using service = new Service();
  const taken = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => new Response() });
  const port = taken.port!;
  await taken.stop(true);
  service.start(pipeline(
    "grace: 0, scheduler.base: 0.1, scheduler.cap: 0.2",
    `name: http, host: 127.0.0.1, port: ${port}`,
  ));
  const waiting = (await service.until(/STATUS=output/)).at(-1);
  expect(waiting).toMatch(
    /^STATUS=output http\.0: waiting for \d+ s, 1 record queued; 1 input, 1 output, 0 records delivered$/,
  );
  using _server = Bun.serve({ hostname: "127.0.0.1", port, fetch: () => new Response() });
  await service.until(/^STATUS=1 input, 1 output, 1 record delivered$/);
  expect(await service.collector.stop()).toBe(0);
});

test("the watchdog is served until the event loop hangs, and again when it goes on", async () => {
  await using service = new Service();
  const at = (name: string) => service.folder.at(name);
  writeFileSync(
    at("hang.ts"),
    `import { existsSync, writeFileSync } from "node:fs";
import { defineFilter } from "logcollector/plugin";
import * as z from "zod";
export default defineFilter({ name: "hang", summary: "Hangs at a line", config: z.object({}), create: () => ({
  process(batch) {
    if (!batch.records.some((r) => r.body.log === "hang")) return batch;
    writeFileSync("${at("hung")}", "");
    while (!existsSync("${
      at("go-on")
    }")) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    return batch;
  } }) });
`,
  );
  const collector = service.start(
    `
plugins: [hang.ts]
pipeline:
  inputs: [{ name: stdin }]
  filters: [{ name: hang, match: '*' }]
  outputs: [{ name: stdout }]
`,
    { interactive: true, env: { WATCHDOG_USEC: "40000" } },
  );
  for (let i = 0; i < 3; i++) await service.until(/^WATCHDOG=1$/);
  collector.type('{"log":"hang"}\n');
  await eventually(() => existsSync(at("hung")));
  service.listener.read();
  service.listener.messages.length = 0;
  // Ten times as long as it is between two messages.
  await Bun.sleep(200);
  expect(service.listener.read()).toEqual([]);
  writeFileSync(at("go-on"), "");
  for (let i = 0; i < 3; i++) await service.until(/^WATCHDOG=1$/);
  expect(await collector.stop()).toBe(0);
});

test("a service manager that cannot be reached costs a warning", async () => {
  using folder = new TempFolder();
  writeFileSync(folder.at("config.yaml"), pipeline("grace: 1", "name: stdout, format: json_lines"));
  writeFileSync(folder.at("in.log"), "one\n");
  for (const address of [folder.at("missing"), "vsock:2:1", "relative"]) {
    await using collector = new Collector(["-c", folder.at("config.yaml")], {
      cwd: folder.path,
      env: { NOTIFY_SOCKET: address, WATCHDOG_USEC: "1000" },
    });
    await collector.untilRecords(1);
    collector.signal("SIGHUP");
    await collector.untilLog("Reloaded the configuration");
    expect(await collector.stop()).toBe(0);
    const warnings = collector.log.filter(({ level }) => level === "warn");
    expect(warnings.map(({ message }) => message)).toEqual([
      expect.stringContaining("Cannot notify the service manager"),
    ]);
  }
});

test("children and workers do not get what speaks for the collector", async () => {
  await using service = new Service();
  const file = service.folder.at("worker.ts");
  writeFileSync(
    file,
    `import { defineFilter, perRecord } from "logcollector/plugin";
import { spawnSync } from "node:child_process";
import * as z from "zod";
export default defineFilter({ name: "look", summary: "Looks around", config: z.object({}), create: (_, ctx) =>
  perRecord(ctx, (record) => {
    record.body.seen = Object.keys(process.env).join(" ") + spawnSync("env").stdout.toString();
    return record;
  }) });
`,
  );
  const collector = service.start(
    `
plugins: [{ path: ${file}, isolation: worker }]
pipeline:
  inputs: [{ name: exec, command: "env | tr '\\\\n' ' '", tag: t, oneshot: on }]
  filters: [{ name: look, match: '*' }]
  outputs: [{ name: stdout, format: json_lines }]
`,
    { env: { WATCHDOG_USEC: "60000000", WATCHDOG_PID: "1", CREDENTIALS_DIRECTORY: "/kept" } },
  );
  await collector.untilRecords(1);
  const [{ exec, seen } = {}] = collector.records;
  for (const text of [exec, seen]) {
    expect(text).toContain("CREDENTIALS_DIRECTORY");
    expect(text).not.toMatch(/NOTIFY_SOCKET|WATCHDOG/);
  }
  expect(await collector.stop()).toBe(0);
});
