import { expect, test } from "bun:test";
import {
  appendFileSync,
  existsSync,
  rmSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  utimesSync,
} from "node:fs";
import tail from "../../../plugins/inputs/tail.ts";
import { systemClock } from "../../../src/lib/clock.ts";
import { eventually } from "../../support/eventually.ts";
import type { Checkpoint } from "logcollector/plugin";
import { ParserRegistry } from "../../../src/loader/parser-registry.ts";
import { testContext } from "../../support/context.ts";
import { Host } from "./tail-host.ts";

test("tail goes on where it was after a restart", async () => {
  using host = new Host();
  host.write("app.log", "1\n2\n");
  expect(await host.run(2)).toEqual(["1", "2"]);
  host.write("app.log", "3\n");
  expect(await host.run(1)).toEqual(["3"]);
  expect(await host.run(0)).toEqual([]);
});

test("tail reads again what was emitted and not acked before it was killed", async () => {
  using host = new Host();
  host.write("app.log", "1\n");
  expect(await host.run(1)).toEqual(["1"]);
  host.write("app.log", "2\n");
  const killed = host.start({}, { acks: "manual" });
  await killed.untilRecords(1);
  await killed.kill();
  host.write("app.log", "3\n");
  expect(await host.run(2)).toEqual(["2", "3"]);
});

test("tail that starts at the end puts that down at once, so that a crash skips nothing", async () => {
  using host = new Host({ read_from_head: false });
  host.write("app.log", "old\n");
  const killed = host.start();
  await eventually(() => host.positions.size === 1, () => "the position is saved");
  await killed.kill();
  host.write("app.log", "new\n");
  expect(await host.run(1)).toEqual(["new"]);
});

test("tail reads a file from its head that came while it was stopped, as it would have while it ran", async () => {
  using host = new Host({ read_from_head: false });
  const path = `${host.folder.path}/*.log`;
  host.write("app.log", "old\n");
  await host.run(0, { path });
  host.write("later.log", "new\n");
  expect(await host.run(1, { path })).toEqual(["new"]);
});

test("tail reads the rest of a file that was renamed while it was stopped, and then its successor", async () => {
  for (const readFromHead of [true, false]) {
    using host = new Host({ read_from_head: readFromHead });
    host.write("app.log", "");
    await using first = host.start();
    host.write("app.log", "1\n");
    await first.untilRecords(1);
    await first.stop();
    host.write("app.log", "2\n");
    host.rename("app.log", "app.log.1");
    host.write("app.log", "3\n");
    expect(await host.run(2)).toEqual(["2", "3"]);
    expect(await host.run(0)).toEqual([]);
  }
});

test("tail reads the generations that came and went while it was stopped, in their order", async () => {
  using host = new Host({ read_from_head: false });
  host.write("app.log", "");
  await using first = host.start();
  host.write("app.log", "1\n");
  await first.untilRecords(1);
  await first.stop();
  host.write("app.log", "2\n");
  host.rename("app.log", "app.log.3");
  host.write("app.log", "3\n");
  await Bun.sleep(10);
  host.rename("app.log", "app.log.2");
  host.write("app.log", "4\n");
  await Bun.sleep(10);
  host.rename("app.log", "app.log.1");
  host.write("app.log", "5\n");
  expect(await host.run(4)).toEqual(["2", "3", "4", "5"]);
  expect(await host.run(0)).toEqual([]);
});

test("tail reads generations younger than a file that was deleted while it was stopped", async () => {
  using host = new Host();
  host.write("app.log", "1\n");
  await host.run(1);
  host.write("app.log", "lost with its file\n");
  unlinkSync(host.at("app.log"));
  host.write("app.log", "2\n");
  host.rename("app.log", "app.log.1");
  expect(await host.run(1)).toEqual(["2"]);
  host.write("app.log", "3\n");
  expect(await host.run(1)).toEqual(["3"]);
});

test("tail does not read what lay about under a rotated name before it was first started", async () => {
  using host = new Host();
  host.write("app.log.1", "before 1\n");
  host.write("app.log.2", "before 2\n");
  await Bun.sleep(10);
  host.write("app.log", "1\n");
  await host.run(1);
  host.rename("app.log.1", "app.log.3");
  host.rename("app.log", "app.log.1");
  host.write("app.log", "2\n");
  expect(await host.run(1)).toEqual(["2"]);
  unlinkSync(host.at("app.log.1"));
  host.rename("app.log", "app.log.1");
  host.write("app.log", "3\n");
  expect(await host.run(1)).toEqual(["3"]);
});

test("tail does not read a rotated file again that it was done with", async () => {
  using host = new Host({ rotate_wait: "1ms" });
  host.write("app.log", "1\n");
  await using first = host.start();
  await first.untilRecords(1);
  host.rename("app.log", "app.log.1");
  const isDone = () => [...host.positions.values()].some((text) => JSON.parse(text).done);
  await eventually(isDone, () => [...host.positions.values()].join());
  await first.stop();
  host.write("app.log", "2\n");
  expect(await host.run(1)).toEqual(["2"]);
  expect(await host.run(0, { path: host.at("app.log*") })).toEqual([]);
});

test("tail reads all of a file that was made again with the same lines", async () => {
  using host = new Host();
  for (let round = 0; round < 3; round++) {
    host.write("app.log", "same\nlines\n");
    expect(await host.run(2)).toEqual(["same", "lines"]);
    unlinkSync(host.at("app.log"));
  }
  await using input = host.start();
  for (let round = 1; round <= 3; round++) {
    host.write("app.log", "same\nlines\n");
    await input.untilRecords(2 * round);
    unlinkSync(host.at("app.log"));
  }
  expect(input.records.length).toBe(6);
});

test("fault 26: an inode that another file got while tail was stopped is read from 0", async () => {
  for (const [before, after] of [["app.log", "app.log"], ["app.log", "other.log"]] as const) {
    using host = new Host({ read_from_head: false });
    const path = `${host.folder.path}/*.log`;
    host.write(before, "");
    await using first = host.start({ path });
    host.write(before, "the first line\nanother\n");
    await first.untilRecords(2);
    await first.stop();
    unlinkSync(host.at(before));
    // The file system gives the number away again at once.
    host.write(after, "new 1\nnew 2\nnew 3, and longer than what was read before\n");
    expect(await host.run(3, { path })).toEqual([
      "new 1",
      "new 2",
      "new 3, and longer than what was read before",
    ]);
  }
});

for (const [name, content] of [["shorter", "n\n"], ["longer", `${"new line\n".repeat(10)}`]]) {
  test(`tail reads a file from its start that was truncated while it was stopped and is ${name} now`, async () => {
    using host = new Host({ read_from_head: false });
    host.write("app.log", "");
    await using first = host.start();
    host.write("app.log", "old 1\nold 2\n");
    await first.untilRecords(2);
    await first.stop();
    truncateSync(host.at("app.log"));
    host.write("app.log", content!);
    await using second = host.start();
    await second.untilRecords(content!.split("\n").length - 1);
    expect(second.values().join("\n") + "\n").toBe(content!);
    expect(second.messages.join()).toContain("was truncated or replaced");
  });
}

test("tail goes on in files that begin alike, each at its own place", async () => {
  using host = new Host();
  const path = `${host.folder.path}/*.csv`;
  const header = `${"id,name,".repeat(200)}\n`;
  for (const name of ["a.csv", "b.csv", "c.csv"]) host.write(name, header);
  expect((await host.run(3, { path })).length).toBe(3);
  host.write("a.csv", "1\n");
  host.write("c.csv", "2\n");
  expect((await host.run(2, { path })).toSorted()).toEqual(["1", "2"]);
});

test("tail goes on inside the rest of a line that was too long", async () => {
  using host = new Host({ buffer_max_size: "1k" });
  host.write("app.log", "x".repeat(5000));
  await host.run(1);
  host.write("app.log", `${"x".repeat(5000)}\nnext\n`);
  expect(await host.run(1)).toEqual(["next"]);
});

test("tail says the right offsets after a restart, in UTF-16 with a byte order mark too", async () => {
  using host = new Host({ offset_key: "at", "unicode.encoding": "auto" });
  const wide = (text: string) => Buffer.from(text, "utf16le");
  appendFileSync(host.at("app.log"), wide("\uFEFFeins\n"));
  await host.run(1);
  appendFileSync(host.at("app.log"), wide("zwei ü\n"));
  await using input = host.start();
  await input.untilRecords(1);
  expect(input.bodies).toEqual([{ at: 12, log: "zwei ü" }]);
});

test("tail reads lines again that a joiner held back when it was killed, and only those", async () => {
  const registry = new ParserRegistry({ log: testContext().log });
  using host = new Host({ "multiline.parser": "java" }, {
    ctx: { multiline: (names) => registry.multiline(names) },
  });
  host.write(
    "app.log",
    `${"filler\n".repeat(3)}java.io.IOException: x\n    at a(A.java:1)\n`,
  );
  const killed = host.start();
  await killed.untilRecords(3);
  await killed.kill();
  host.write("app.log", "    at b(B.java:2)\nnext\nand\n");
  expect((await host.run(2)).slice(0, 2)).toEqual([
    "java.io.IOException: x\n    at a(A.java:1)\n    at b(B.java:2)\n",
    "next\n",
  ]);
});

test("tail starts at the head of a file whose saved position is damaged, and says so", async () => {
  for (const text of ["", "{", "null", '{"v":99}', '{"v":1,"path":"x","ino":-1}']) {
    using host = new Host({ read_from_head: false });
    host.write("app.log", "1\n");
    await host.run(0);
    const [stream] = host.positions.keys();
    host.positions.set(stream!, text);
    await using input = host.start();
    await input.untilRecords(1);
    expect(input.values()).toEqual(["1"]);
    const warnings = input.messages.filter((message) => message.startsWith("warn"));
    expect(warnings.length).toBe(1);
    expect(warnings[0]).toContain(`Cannot read the saved position of ${stream}`);
  }
});

test("tail knows a file again when the machine gave its device another number", async () => {
  using host = new Host({ read_from_head: false });
  host.write("app.log", "1\n");
  await host.run(0);
  for (const [stream, text] of [...host.positions]) {
    host.positions.delete(stream);
    const moved = { ...JSON.parse(text), dev: 1 };
    host.positions.set(stream.replace(/^\d+/, "1"), JSON.stringify(moved));
  }
  host.write("app.log", "2\n");
  expect(await host.run(1)).toEqual(["2"]);
  expect(host.positions.size).toBe(1);
});

test("tail finds a renamed file behind a link, after the link was changed", async () => {
  using host = new Host({ path_key: "file" });
  host.write("a", "a1\n");
  symlinkSync("a", host.at("app.log"));
  await host.run(1);
  host.write("a", "a2\n");
  rmSync(host.at("app.log"));
  symlinkSync("b", host.at("app.log"));
  host.write("b", "b1\n");
  await using input = host.start();
  await input.untilRecords(2);
  expect(input.bodies).toEqual([
    { file: host.at("app.log"), log: "a2" },
    { file: host.at("app.log"), log: "b1" },
  ]);
});

test("tail with db.compare_filename takes a file under another name for another file", async () => {
  using host = new Host({ read_from_head: true });
  const path = `${host.folder.path}/*.log`;
  host.write("a.log", "1\n");
  await host.run(1, { path });
  host.rename("a.log", "b.log");
  expect(await host.run(0, { path })).toEqual([]);
  host.rename("b.log", "c.log");
  expect(await host.run(1, { path, "db.compare_filename": true })).toEqual(["1"]);
});

test("tail leaves out a known file that became older than ignore_older, and keeps its place", async () => {
  using host = new Host({ ignore_older: "10m" });
  host.write("app.log", "1\n");
  await host.run(1);
  host.write("app.log", "2\n");
  const hourAgo = Date.now() / 1000 - 3600;
  utimesSync(host.at("app.log"), hourAgo, hourAgo);
  await using input = host.start();
  await Bun.sleep(100);
  expect(input.values()).toEqual([]);
  host.write("app.log", "3\n");
  await input.untilRecords(2);
  expect(input.values()).toEqual(["2", "3"]);
});

test("tail emits the unfinished last line of a rotated file when it gives it up", async () => {
  using host = new Host({ rotate_wait: "1ms" });
  host.write("app.log", "1\n2");
  await using input = host.start();
  await input.untilRecords(1);
  host.rename("app.log", "app.log.1");
  await input.untilRecords(2);
  await input.stop();
  expect(input.values()).toEqual(["1", "2"]);
  expect(existsSync(host.at("app.log"))).toBe(false);
});

test("tail asks for its positions as its options say", async () => {
  using host = new Host({
    db: "/tmp/tail.db",
    "db.sync": "Full",
    "db.locking": true,
    "db.journal_mode": "delete",
  });
  await using input = host.start();
  expect(input.positions.options).toMatchObject({
    path: "/tmp/tail.db",
    sync: "full",
    exclusive: true,
    journalMode: "DELETE",
  });
  await using plain = host.start({ db: undefined });
  expect(plain.positions.options!.path).toBe(undefined);
});

for (const multiline of [false, true]) {
  for (const how of ["throws", "rejects"] as const) {
    test(`tail that is run again after an emit ${how} repeats and loses nothing${multiline ? ", with a joiner" : ""}`, async () => {
      using host = new Host();
      const lines = Array.from({ length: 4000 }, (_, i) => `line ${i}`);
      for (const name of ["a.log", "b.log"]) host.write(name, `${lines.join("\n")}\n`);
      const registry = new ParserRegistry({ log: testContext().log });
      const got: string[] = [];
      let calls = 0;
      const ctx = testContext({
        clock: systemClock as unknown as ReturnType<typeof testContext>["clock"],
        multiline: (names) => registry.multiline(names),
        breathe: () => new Promise((resolve) => setImmediate(resolve)),
        emit(batch, ack) {
          if (++calls % 3 === 0) {
            if (how === "throws") throw new Error("no room");
            return Promise.reject(new Error("no room"));
          }
          for (const { body } of batch.records) got.push(String(body.log).trimEnd());
          (ack as unknown as Checkpoint).ack?.();
          return undefined;
        },
      });
      const options = tail.config.parse({
        path: `${host.folder.path}/*.log`,
        read_from_head: true,
        exit_on_eof: true,
        buffer_chunk_size: 4096,
        ...multiline ? { "multiline.parser": "java" } : {},
      });
      const input = tail.create(options, ctx);
      let runs = 0;
      for (let isOver = false; !isOver; runs++) {
        try {
          await input.run(new AbortController().signal);
          isOver = true;
        } catch (error) {
          expect((error as Error).message).toBe("no room");
        }
      }
      await input.close?.();
      expect(runs).toBeGreaterThan(5);
      expect(got.toSorted()).toEqual([...lines, ...lines].toSorted());
    });
  }
}

test("tail in a new instance goes on where a closed one was", async () => {
  using host = new Host();
  host.write("app.log", "1\n");
  for (let i = 1; i <= 3; i++) {
    await using input = host.start();
    await input.untilRecords(1);
    expect(input.values()).toEqual([`${i}`]);
    await input.stop();
    host.write("app.log", `${i + 1}\n`);
  }
});
