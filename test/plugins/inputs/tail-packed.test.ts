import { expect, test } from "bun:test";
import { execFileSync } from "node:child_process";
import {
  appendFileSync,
  readFileSync,
  statSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { gzipSync } from "node:zlib";
import { Host } from "./tail-host.ts";

/** As gzip does it: another file, with the time of the old one, which is gone. */
function pack(host: Host, name: string, packedName = `${name}.gz`): void {
  const { atime, mtime } = statSync(host.at(name));
  writeFileSync(host.at(packedName), gzipSync(readFileSync(host.at(name))));
  utimesSync(host.at(packedName), atime, mtime);
  unlinkSync(host.at(name));
}

const lines = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, i) => `line ${from + i} of the log`);
const text = (from: number, to: number) => `${lines(from, to).join("\n")}\n`;

test("tail does not read a .gz file again after a restart, and reads on in one that had grown", async () => {
  using host = new Host();
  const path = `${host.folder.path}/*.gz`;
  appendFileSync(host.at("a.gz"), gzipSync(text(0, 50)));
  expect(await host.run(50, { path })).toEqual(lines(0, 50));
  appendFileSync(host.at("b.gz"), gzipSync(text(50, 60)));
  expect(await host.run(10, { path })).toEqual(lines(50, 60));
  appendFileSync(host.at("a.gz"), gzipSync(text(60, 70)));
  expect(await host.run(10, { path })).toEqual(lines(60, 70));
});

test("tail reads a .gz file that took the place of another from its start", async () => {
  using host = new Host();
  const path = `${host.folder.path}/*.gz`;
  writeFileSync(host.at("a.gz"), gzipSync(text(0, 50)));
  expect(await host.run(50, { path })).toEqual(lines(0, 50));
  writeFileSync(host.at("a.gz"), gzipSync(text(100, 200)));
  expect(await host.run(100, { path })).toEqual(lines(100, 200));
});

for (const count of [3, 500]) {
  test(`fault 25: tail finds the rest of a rotated file of ${count} lines that was compressed while it was stopped`, async () => {
    using host = new Host({ read_from_head: false });
    host.write("app.log", text(0, 1));
    await host.run(0);
    host.write("app.log", text(1, count));
    const read = await host.run(count - 1);
    expect(read).toEqual(lines(1, count));
    host.write("app.log", text(count, count + 10));
    host.rename("app.log", "app.log.1");
    pack(host, "app.log.1");
    host.write("app.log", text(count + 10, count + 12));
    expect(await host.run(12)).toEqual(lines(count, count + 12));
    expect(await host.run(0)).toEqual([]);
  });
}

test("tail goes on in the rest of a compressed file where it was killed", async () => {
  using host = new Host();
  host.write("app.log", text(0, 100));
  await host.run(100);
  host.write("app.log", text(100, 20_000));
  pack(host, "app.log", "app.log.1.gz");
  host.write("app.log", text(20_000, 20_005));
  const killed = host.start({}, { acks: "manual" });
  await killed.untilRecords(19_905);
  const half = killed.emissions.slice(0, Math.floor(killed.emissions.length / 2));
  for (const emission of half) killed.ack(emission);
  killed.positions.commit();
  await killed.kill();
  const read = half.flatMap(({ records }) => records.map(({ body }) => body.log));
  expect([...read, ...await host.run(19_905 - read.length)]).toEqual(lines(100, 20_005));
  expect(await host.run(0)).toEqual([]);
});

test("tail reads generations that came and were compressed while it was stopped, after the rest of the one before", async () => {
  using host = new Host();
  host.write("app.log", text(0, 50));
  await host.run(50);
  host.write("app.log", text(50, 60));
  host.rename("app.log", "app.log.3");
  host.write("app.log", text(60, 130));
  host.rename("app.log", "app.log.2");
  host.write("app.log", text(130, 140));
  host.rename("app.log", "app.log.1");
  const second = Date.now() / 1000;
  utimesSync(host.at("app.log.3"), second + 1, second + 1);
  utimesSync(host.at("app.log.2"), second + 2, second + 2);
  pack(host, "app.log.3");
  pack(host, "app.log.2");
  host.write("app.log", text(140, 145));
  expect(await host.run(95)).toEqual(lines(50, 145));
  expect(await host.run(0)).toEqual([]);
});

test("tail finds the rest of a truncated file in a compressed copy", async () => {
  using host = new Host();
  host.write("app.log", text(0, 100));
  await host.run(100);
  host.write("app.log", text(100, 120));
  writeFileSync(host.at("app.log.1.gz"), gzipSync(readFileSync(host.at("app.log"))));
  writeFileSync(host.at("app.log"), text(120, 130));
  expect(await host.run(30)).toEqual(lines(100, 130));
  expect(await host.run(0)).toEqual([]);
});

test("tail reads what came and was compressed after a file that is gone, and nothing older", async () => {
  using host = new Host();
  host.write("app.log", text(0, 100));
  await host.run(100);
  unlinkSync(host.at("app.log"));
  const hourAgo = Date.now() / 1000 - 3600;
  writeFileSync(host.at("app.log.2.gz"), gzipSync("from before\n"));
  utimesSync(host.at("app.log.2.gz"), hourAgo, hourAgo);
  writeFileSync(host.at("app.log.1.gz"), gzipSync(text(100, 105)));
  host.write("app.log", text(105, 110));
  await using input = host.start();
  await input.untilRecords(10);
  await Bun.sleep(100);
  expect(input.values()).toEqual(lines(100, 110));
  const warnings = input.messages.filter((message) => message.startsWith("warn"));
  expect(warnings).toEqual([
    `warn: Cannot find what was not read of ${host.at("app.log")}: it is not in ${
      host.at("app.log.1.gz")
    }`,
  ]);
  await input.stop();
  expect(await host.run(0)).toEqual([]);
});

test("fault 25: tail app.log* does not read what it has read again when it is compressed", async () => {
  using host = new Host({ path: "" });
  const path = host.at("app.log*");
  host.write("app.log", text(0, 200));
  await using input = host.start({ path });
  await input.untilRecords(200);
  host.write("app.log", text(200, 210));
  host.rename("app.log", "app.log.1");
  host.write("app.log", text(210, 220));
  await input.untilRecords(220);
  execFileSync("gzip", [host.at("app.log.1")]);
  host.write("app.log", text(220, 230));
  await input.untilRecords(230);
  await Bun.sleep(300);
  expect(input.values()).toEqual(lines(0, 230));
  await input.stop();
  // The same while it is stopped.
  host.write("app.log", text(230, 240));
  host.rename("app.log", "app.log.1");
  pack(host, "app.log.1", "app.log.2.gz");
  host.write("app.log", text(240, 250));
  expect((await host.run(20, { path })).toSorted()).toEqual(lines(230, 250));
  expect(await host.run(0, { path })).toEqual([]);
});
