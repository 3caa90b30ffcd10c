import { expect, test } from "bun:test";
import { renameSync, unlinkSync, writeFileSync } from "node:fs";
import { systemClock } from "../../../src/lib/clock.ts";
import type { TestContext } from "../../support/context.ts";
import { eventually } from "../../support/eventually.ts";
import type { InputDriver } from "../../support/input-driver.ts";
import { Host } from "./tail-host.ts";

const HOUR_MS = 3_600_000;
const DAY_SEC = 24 * 3600;

/** The system's time, that a test can move on. */
class MovableClock {
  private movedMs = 0;

  nowMs(): number {
    return systemClock.nowMs() + this.movedMs;
  }
  wall(): { sec: number; nsec: number } {
    const { sec, nsec } = systemClock.wall();
    return { sec: sec + Math.floor(this.movedMs / 1000), nsec };
  }
  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return systemClock.sleep(ms, signal);
  }
  after(ms: number, call: () => void): () => void {
    return systemClock.after(ms, call);
  }
  move(ms: number): void {
    this.movedMs += ms;
  }
}

function withClock(options: Record<string, unknown> = {}) {
  const clock = new MovableClock();
  const host = new Host({ rotate_wait: "1ms", ...options }, {
    ctx: { clock: clock as unknown as TestContext["clock"] },
  });
  return { clock, host };
}

/** What is kept, by the file's name and what is said of it. */
function kept(host: Host): string[] {
  return [...host.positions.values()].map((text) => {
    const { path, at, done, deleted } = JSON.parse(text);
    return `${path.split("/").at(-1)} ${at}${done ? " done" : ""}${deleted ? " deleted" : ""}`;
  }).toSorted();
}

const untilKept = (host: Host, expected: readonly string[]) =>
  eventually(() => kept(host).join() === expected.join(), () => kept(host).join());

const untilClosed = (input: InputDriver, count: number) =>
  eventually(
    () => input.ctx.counters.get("input_files_closed_total")!.value >= count,
    () => `${count} files are closed`,
  );

test("tail forgets a deleted file a minute after it was given up, and not before", async () => {
  const { clock, host } = withClock();
  using _ = host;
  host.write("app.log", "1\n");
  await using input = host.start();
  await input.untilRecords(1);
  // Tail looks once a minute at what it may forget: the file is half a minute old at the first look.
  clock.move(40_000);
  unlinkSync(host.at("app.log"));
  await untilKept(host, ["app.log 2 done deleted"]);
  clock.move(30_000);
  await Bun.sleep(150);
  expect(kept(host)).toEqual(["app.log 2 done deleted"]);
  clock.move(60_000);
  await untilKept(host, []);
});

test("tail does not let what it keeps grow with a thousand short-lived files", async () => {
  const { clock, host } = withClock();
  using _ = host;
  const path = `${host.folder.path}/*.log`;
  await using input = host.start({ path });
  for (let i = 0; i < 1000; i++) {
    host.write(`${i}.log`, `${i}\n`);
    if (i % 100 === 99) await input.untilRecords(i + 1);
  }
  for (let i = 0; i < 1000; i++) unlinkSync(host.at(`${i}.log`));
  await untilClosed(input, 1000);
  expect(host.positions.size).toBe(1000);
  clock.move(HOUR_MS + 60_000);
  await untilKept(host, []);
});

test("tail forgets nothing of which something is not safe yet", async () => {
  const { clock, host } = withClock();
  using _ = host;
  host.write("app.log", "1\n");
  await using input = host.start({}, { acks: "manual" });
  await input.untilRecords(1);
  input.positions.commit();
  unlinkSync(host.at("app.log"));
  await untilClosed(input, 1);
  clock.move(HOUR_MS + 60_000);
  await Bun.sleep(100);
  input.positions.commit();
  expect(kept(host)).toEqual(["app.log 0"]);
  input.ackAll();
  input.positions.commit();
  expect(kept(host)).toEqual(["app.log 2 done deleted"]);
  clock.move(HOUR_MS + 60_000);
  await eventually(() => {
    input.positions.commit();
    return host.positions.size === 0;
  });
});

test("tail remembers a rotated file as long as it lies about", async () => {
  const { clock, host } = withClock();
  using _ = host;
  host.write("app.log", "1\n");
  await using input = host.start();
  await input.untilRecords(1);
  host.rename("app.log", "app.log.1");
  await untilKept(host, ["app.log 2 done"]);
  for (let hour = 0; hour < 3; hour++) {
    clock.move(HOUR_MS + 60_000);
    await Bun.sleep(100);
    // It may change its name.
    host.rename(`app.log.${hour + 1}`, `app.log.${hour + 2}`);
  }
  expect(kept(host)).toEqual(["app.log 2 done"]);
  unlinkSync(host.at("app.log.4"));
  clock.move(HOUR_MS + 60_000);
  await untilKept(host, []);
});

test("tail forgets at its start what was not seen for a week, and keeps what may come back", async () => {
  const { host } = withClock();
  using _ = host;
  host.write("app.log", "1\n");
  await host.run(1);
  const [[, text]] = [...host.positions] as [[string, string]];
  const nowSec = Date.now() / 1000;
  // Files on a disk that is not mounted now.
  const put = (stream: string, days: number) =>
    host.positions.set(
      stream,
      JSON.stringify({
        ...JSON.parse(text),
        ino: days,
        path: `/mnt/${stream}`,
        home: `/mnt/${stream}`,
        seen: nowSec - days * DAY_SEC,
      }),
    );
  put("old", 8);
  put("recent", 6);
  await using _input = host.start();
  await untilKept(host, ["app.log 2", "recent 2"]);
});

test("tail forgets what was deleted while it was stopped, an hour after its start", async () => {
  const { clock, host } = withClock();
  using _ = host;
  const path = `${host.folder.path}/*.log`;
  host.write("a.log", "1\n");
  host.write("b.log", "2\n");
  await host.run(2, { path });
  unlinkSync(host.at("a.log"));
  await using _input = host.start({ path });
  await Bun.sleep(100);
  expect(kept(host)).toEqual(["a.log 2", "b.log 2"]);
  clock.move(HOUR_MS + 60_000);
  await untilKept(host, ["b.log 2"]);
});

test("tail says once a day that a quiet file is still there", async () => {
  const { clock, host } = withClock();
  using _ = host;
  host.write("app.log", "1\n");
  await using input = host.start();
  await input.untilRecords(1);
  const seen = () => JSON.parse([...host.positions.values()][0]!).seen as number;
  const before = seen();
  clock.move(DAY_SEC * 1000 + 60_000);
  await eventually(() => seen() > before + DAY_SEC, () => `seen ${seen()}`);
  expect(kept(host)).toEqual(["app.log 2"]);
});

test("tail goes on in a file that comes back after it was given up", async () => {
  const { host } = withClock();
  using _ = host;
  host.write("app.log", "1\n");
  await using input = host.start();
  await input.untilRecords(1);
  renameSync(host.at("app.log"), host.at("elsewhere"));
  await untilClosed(input, 1);
  writeFileSync(host.at("elsewhere"), "2\n", { flag: "a" });
  renameSync(host.at("elsewhere"), host.at("app.log"));
  await input.untilRecords(2);
  await Bun.sleep(100);
  expect(input.values()).toEqual(["1", "2"]);
});
