import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { utimesSync } from "node:fs";
import { dirname } from "node:path";
import { eventually } from "../support/eventually.ts";
import { NodeCollector } from "./node-collector.ts";

// What ends a test that waits in vain are the deadlines of what it waits for.
setDefaultTimeout(60_000);

const numbered = (name: string, from: number, to: number) =>
  Array.from({ length: to - from }, (_, i) => `${name} ${from + i}`);

for (const runtime of ["cri", "docker"] as const) {
  describe(`container logs of ${runtime}`, () => {
    test("are joined per stream, whatever comes in between", async () => {
      await using collector = new NodeCollector(runtime);
      await collector.start();
      const log = collector.node.startPod("web-0", "shop").start("app");
      log.write("stdout", "first");
      log.writePart("stdout", "out 1 ");
      log.writePart("stderr", "err 1 ");
      log.writePart("stdout", "out 2 ");
      log.write("stderr", "err end");
      log.writePart("stderr", "next err ");
      log.write("stdout", "out end");
      log.write("stdout", "", "x".repeat(100_000), "last");
      log.write("stderr", "end");
      await collector.expectAllOf([log]);
    });

    test("go on through a restart in the middle of a line", async () => {
      await using collector = new NodeCollector(runtime);
      const log = collector.node.startPod("web-0", "shop").start("app");
      log.write("stdout", "whole");
      await collector.start();
      await collector.untilLines(1);
      log.writePart("stdout", "begun ");
      log.writePart("stderr", "also begun ");
      await collector.stop();
      log.write("stderr", "and ended");
      log.write("stdout", "and ended", "last");
      await collector.start();
      // What was read of a line is delivered before the stop: then its rest is a line of its own.
      const came = (stream: string) =>
        collector.records.filter((record) => record["stream"] === stream)
          .map(({ log }) => String(log).trimEnd()).join(" ").replaceAll("  ", " ");
      await collector.untilLines(4);
      await eventually(() => came("stdout").endsWith("last") && came("stderr").endsWith("ended"));
      await collector.stop();
      expect(came("stdout")).toBe("whole begun and ended last");
      expect(came("stderr")).toBe("also begun and ended");
    });

    test("are read through rotations, with what the runtime writes to the renamed file", async () => {
      await using collector = new NodeCollector(runtime);
      const pod = collector.node.startPod("web-0", "shop");
      const logs = [pod.start("app"), pod.start("sidecar")];
      for (const log of logs) log.write("stdout", "first");
      await collector.start();
      await collector.untilLines(2);
      for (let round = 0; round < 40; round++) {
        for (const log of logs) {
          log.write("stdout", ...numbered(`${log.name} out`, round * 100, round * 100 + 100));
          log.write("stderr", ...numbered(`${log.name} err`, round * 10, round * 10 + 10));
          log.rotate(`${log.name} out late ${round}`);
        }
        // A kubelet leaves at least a second to find the new file.
        await collector.untilMetric("input_files_opened_total", (n) => n >= 2 * (round + 2));
      }
      await collector.expectAllOf(logs);
    });

    test("a line that goes on in the next file, or through it, is one line", async () => {
      await using collector = new NodeCollector(runtime);
      const log = collector.node.startPod("web-0", "shop").start("app");
      await collector.start();
      log.write("stdout", "first");
      await collector.untilLines(1);
      log.writePart("stdout", "in the old file ");
      log.writePart("stderr", "in both ");
      log.rotate();
      log.write("stderr", "files", "whole");
      log.write("stdout", "and in the new one");
      await collector.untilLines(4);
      log.writePart("stdout", "begun ");
      for (let n = 2; n < 4; n++) {
        log.rotate();
        log.writePart("stdout", `through ${n} `);
        await collector.untilMetric("input_files_opened_total", (opened) => opened === n + 1);
      }
      log.rotate();
      log.write("stdout", "ended", "last");
      await collector.expectAllOf([log]);
    });

    test("a line that goes on in the next file is whole after a kill", async () => {
      await using collector = new NodeCollector(runtime);
      const log = collector.node.startPod("web-0", "shop").start("app");
      await collector.start();
      log.write("stdout", "first");
      await collector.untilLines(1);
      await collector.untilMetric("input_files_opened_total", (opened) => opened === 1);
      collector.sink.status = 503;
      log.write("stderr", "is not delivered");
      log.writePart("stdout", "in the old file ");
      log.rotate();
      log.write("stdout", "and in the new one");
      // So long that the old one would be given up otherwise.
      await collector.untilMetric("input_files_opened_total", (opened) => opened === 2);
      await eventually(() => collector.sink.refused > 3, undefined, 15_000);
      collector.collector.signal("SIGKILL");
      await collector.collector.exit();
      collector.sink.status = 200;
      await collector.start();
      await collector.expectAllOf([log]);
    });

    test("are read on after a restart, through what was rotated and compressed meanwhile", async () => {
      await using collector = new NodeCollector(runtime);
      const log = collector.node.startPod("web-0", "shop").start("app");
      log.write("stdout", ...numbered("x".repeat(100), 0, 100));
      await collector.start();
      await collector.untilLines(100);
      for (let round = 0; round < 3; round++) {
        log.write("stdout", ...numbered(`round ${round}`, 0, 50));
        await collector.untilLines(100 + round * 170 + 50);
        await collector.stop();
        // The kubelet keeps five files: what it deletes is gone.
        for (let i = 0; i < 4; i++) {
          log.write("stdout", ...numbered(`round ${round} rotation ${i}`, 0, 30));
          if (i < 3) log.rotate();
        }
        await collector.start();
        await collector.untilLines(100 + (round + 1) * 170);
      }
      await collector.expectAllOf([log]);
    });

    test("a container that is restarted has a file of its own each time", async () => {
      await using collector = new NodeCollector(runtime);
      const pod = collector.node.startPod("crash-0");
      await collector.start();
      const runs = Array.from({ length: 5 }, (_, run) => {
        const log = pod.start("app");
        log.write("stdout", ...numbered(`run ${run}`, 0, 50));
        log.write("stderr", "panic: no luck");
        return log;
      });
      await collector.expectAllOf(runs);
    });
  });
}

test("a file that gets its name back, because the runtime opened no other, is read on", async () => {
  await using collector = new NodeCollector();
  const log = collector.node.startPod("web-0").start("app");
  log.write("stdout", "first");
  await collector.start();
  await collector.untilLines(1);
  for (let round = 0; round < 10; round++) {
    log.failToRotate(`meanwhile ${round}`);
    log.write("stdout", `after ${round}`);
    await collector.untilLines(1 + 2 * (round + 1));
  }
  log.rotate("late");
  log.write("stdout", "last");
  await collector.expectAllOf([log]);
});

test("300 pods that live for a moment: each line comes, as its pod's", async () => {
  await using collector = new NodeCollector();
  await collector.start();
  const logs = [];
  let wave = [];
  for (let i = 0; i < 300; i++) {
    const pod = collector.node.startPod(`job-${i}`, `team-${i % 7}`);
    const log = pod.start("main");
    log.write("stdout", ...numbered(`job ${i}`, 0, 60));
    log.write("stderr", ...numbered(`job ${i} err`, 0, 7));
    logs.push(log);
    wave.push(pod);
    if (wave.length < 20) continue;
    const { length } = logs;
    await collector.untilMetric("input_files_opened_total", (n) => n >= length);
    for (const each of wave) each.delete();
    wave = [];
  }
  expect(logs).toHaveLength(300);
  await collector.expectAllOf(logs);
});

describe("while the destination is away", () => {
  test("pods are deleted after their last line: each line comes", async () => {
    await using collector = new NodeCollector();
    await collector.start();
    collector.sink.status = 503;
    const pods = Array.from({ length: 60 }, (_, i) => collector.node.startPod(`job-${i}`));
    const logs = pods.map((pod) => pod.start("main"));
    for (const log of logs) {
      log.write("stdout", ...numbered(`${log.pod.name} ${"x".repeat(200)}`, 0, 400));
    }
    await collector.untilMetric("input_files_opened_total", (n) => n === logs.length);
    for (const log of logs) log.write("stdout", "last words");
    // Of some only the link is left, and of others nothing.
    for (const [i, pod] of pods.entries()) {
      if (i % 3 === 0) logs[i]!.remove({ keepLink: true });
      else pod.delete();
    }
    await collector.untilMetric("input_ingestion_paused", (paused) => paused === 1);
    collector.sink.status = 200;
    await collector.untilLines(60 * 401);
    expect(await collector.metric("input_files_missed_total")).toBe(0);
    await collector.expectAllOf(logs);
  });

  for (const runtime of ["cri", "docker"] as const) {
    test(`logs of ${runtime} are rotated, compressed and deleted: each line comes`, async () => {
      await using collector = new NodeCollector(runtime);
      const log = collector.node.startPod("busy-0").start("main");
      log.write("stdout", "first");
      await collector.start();
      await collector.untilLines(1);
      collector.sink.status = 503;
      for (let round = 0; round < 8; round++) {
        log.write("stdout", ...numbered("x".repeat(300), round * 1000, round * 1000 + 1000));
        log.write("stderr", ...numbered("err", round * 1000, round * 1000 + 1000));
        log.rotate(`late ${round}`);
        await collector.untilMetric("input_files_opened_total", (n) => n >= round + 2);
      }
      collector.sink.status = 200;
      await collector.expectAllOf([log]);
    });
  }
});

test("a link whose file comes later is followed", async () => {
  await using collector = new NodeCollector();
  const first = collector.node.startPod("web-0").start("app");
  first.write("stdout", "first");
  const late = collector.node.startPod("web-1").start("app", { linkFirst: true });
  // Nothing has happened there for so long that it is not looked up again for nothing.
  for (const path of [dirname(first.link), dirname(first.file)]) utimesSync(path, 1e9, 1e9);
  await collector.start();
  await collector.untilLines(1);
  late.write("stdout", "came late");
  await collector.expectAllOf([first, late]);
});
