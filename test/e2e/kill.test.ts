import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { appendFileSync, existsSync, renameSync, writeFileSync } from "node:fs";
import { Collector } from "../support/binary.ts";
import { CountingSink } from "../support/counting-sink.ts";
import { eventually } from "../support/eventually.ts";
import { Random } from "../support/random.ts";
import { TempFolder } from "../support/temp-folder.ts";

// What ends a test that waits in vain are the deadlines of what it waits for.
setDefaultTimeout(60_000);

const KILLS = Number(process.env.KILLS ?? 100);
const SEED = Number(process.env.SEED ?? 20_261_125);

/** A file to which numbered lines are added all the time, now and then under a new name. */
class Writer {
  next = 0;
  /** The file was found once. */
  isSeen: () => boolean = () => true;
  private readonly path: string;
  private readonly random: Random;
  private generation = 0;
  private timer: ReturnType<typeof setInterval> | undefined;

  constructor(path: string, random: Random) {
    this.path = path;
    this.random = random;
    writeFileSync(path, "");
  }

  start(): void {
    appendFileSync(this.path, `${this.next++}\n`);
    this.timer = setInterval(() => this.write(), 5);
  }

  stop(): void {
    clearInterval(this.timer);
  }

  private write(): void {
    if (this.isSeen() && this.random.below(60) === 0) this.rotate();
    let text = "";
    for (let i = this.random.below(120); i >= 0; i--) text += `${this.next++}\n`;
    appendFileSync(this.path, text);
  }

  /** As logrotate does it, with the oldest of four generations gone for good only when all were read long ago. */
  private rotate(): void {
    this.generation++;
    if (existsSync(this.path)) renameSync(this.path, `${this.path}.${this.generation}`);
  }
}

interface Setup {
  readonly folder: TempFolder;
  readonly sinks: readonly CountingSink[];
  readonly storage: "filesystem" | "memory";
}

function configure({ folder, sinks, storage }: Setup): string {
  const path = folder.at("config.yaml");
  const outputs = sinks.map(({ port }, i) =>
    `    - {name: http, alias: out${i}, match: '*', host: 127.0.0.1, port: ${port}, format: json_lines, http.response_timeout: 2s}`
  );
  writeFileSync(
    path,
    `service: {flush: 0.05, grace: 1, scheduler.base: 0.1, scheduler.cap: 0.2, log_level: error, storage.path: ${
      folder.at("state")
    }}
pipeline:
  inputs:
    - {name: tail, alias: app, path: ${folder.at("app.log")}, db: ${
      folder.at("app.db")
    }, read_from_head: on, storage.type: ${storage}, rotate_wait: 60s}
  outputs:
${outputs.join("\n")}
`,
  );
  return path;
}

/** Starts the collector, and ends it the hard way after a while, again and again. */
async function killAgainAndAgain(setup: Setup, random: Random, onRound: (i: number) => void) {
  const config = configure(setup);
  // What was renamed before anybody saw it is nobody's.
  await using first = new Collector(["-c", config]);
  await eventually(() => setup.sinks.every(({ counts }) => counts.size > 0));
  await first.stop();
  for (let i = 0; i < KILLS; i++) {
    onRound(i);
    const collector = new Collector(["-c", config]);
    await Bun.sleep(20 + random.below(i % 10 === 0 ? 800 : 220));
    collector.signal("SIGKILL");
    await collector.exit();
    for (const sink of setup.sinks) sink.killed();
    expect(collector.stderr.replaceAll(/.*(Cannot deliver|not delivered).*\n/g, "")).toBe("");
  }
  return config;
}

describe(`kill -9 at ${KILLS} random moments under load, seed ${SEED}`, () => {
  test(
    "fault 1, 2, 3: with a disk queue nothing is lost, and only what was on its way comes again",
    async () => {
      using folder = new TempFolder();
      using sink = new CountingSink();
      const random = new Random(SEED);
      const writer = new Writer(folder.at("app.log"), random);
      writer.isSeen = () => sink.counts.size > 0;
      writer.start();
      const config = await killAgainAndAgain(
        { folder, sinks: [sink], storage: "filesystem" },
        random,
        () => {
          sink.mode = random.pick(["takes", "takes", "takes", "refuses", "hangs", "forgets"]);
        },
      );
      writer.stop();
      sink.mode = "takes";
      await using collector = new Collector(["-c", config]);
      await eventually(
        () => sink.counts.size >= writer.next,
        () => `${sink.counts.size} of ${writer.next}`,
        30_000,
      );
      expect(await collector.stop()).toBe(0);
      expect(sink.missing(writer.next)).toEqual([]);
      expect(sink.unexplained).toEqual([]);
    },
    180_000,
  );

  test("fault 1, 2, 3: with queues in memory nothing is lost", async () => {
    using folder = new TempFolder();
    using sink = new CountingSink();
    const random = new Random(SEED + 1);
    const writer = new Writer(folder.at("app.log"), random);
    writer.isSeen = () => sink.counts.size > 0;
    writer.start();
    const config = await killAgainAndAgain(
      { folder, sinks: [sink], storage: "memory" },
      random,
      () => {
        sink.mode = random.pick(["takes", "takes", "takes", "refuses", "hangs", "forgets"]);
      },
    );
    writer.stop();
    sink.mode = "takes";
    await using collector = new Collector(["-c", config]);
    await eventually(
      () => sink.counts.size >= writer.next,
      () => `${sink.counts.size} of ${writer.next}`,
      30_000,
    );
    expect(await collector.stop()).toBe(0);
    expect(sink.missing(writer.next)).toEqual([]);
  }, 180_000);
});
