import { describe, expect, test } from "bun:test";
import { lookAtQueue } from "../../../src/cli/queue/look-at-queue.ts";
import { verifySegments } from "../../../src/cli/queue/verify-segments.ts";
import type { FragileFiles } from "../../buffer/disk/fragile-files.ts";
import { FOLDER, QueueModel } from "../../buffer/disk/queue-model.ts";
import { Random } from "../../support/random.ts";

/** A queue of ten entries with five records each, the first of them sent, whose process was ended. */
async function filledQueue(segmentBytes: number, sent = 0): Promise<QueueModel> {
  const model = new QueueModel({ random: new Random(1), segmentBytes });
  await model.start();
  for (let i = 0; i < 10; i++) model.read("a", 5);
  await model.time(1000);
  for (let i = 0; i < sent; i++) model.deliver();
  await model.time(1000);
  model.kill();
  return model;
}

/** Verifies, and makes sure that nothing was changed by it. */
function verify(files: FragileFiles) {
  const before = new Map(files.paths.map((path) => [path, Buffer.from(files.bytesOf(path))]));
  const found = verifySegments(files, lookAtQueue(files, FOLDER));
  expect(files.openDescriptors).toBe(0);
  expect(files.paths).toEqual([...before.keys()]);
  for (const [path, bytes] of before) expect(files.bytesOf(path).equals(bytes)).toBe(true);
  const missing = found.damaged.reduce((sum, { records }) => sum + records, 0);
  return { ...found, missing };
}

/** What the queue itself finds lost when it is opened and sent. */
async function lostWhenSent(files: FragileFiles): Promise<number> {
  const model = new QueueModel({ random: new Random(2) });
  model.files = files.killed();
  await model.start();
  await model.drain();
  return model.drops.reduce((sum, { records }) => sum + records, 0);
}

const segmentsOf = ({ files }: QueueModel) => files.paths.filter((path) => path.endsWith(".seg"));

describe("verifying a queue", () => {
  test("finds nothing in one that is sound", async () => {
    for (
      const [segmentBytes, sent] of [[400, 0], [1e6, 0], [400, 5], [1e6, 5], [400, 10]] as const
    ) {
      const model = await filledQueue(segmentBytes, sent);
      expect(verify(model.files)).toMatchObject({
        payloads: 10,
        records: 50,
        damaged: [],
        cutOff: undefined,
      });
      await model.start();
      await model.commit();
      await model.queue.close();
      expect(verify(model.files)).toMatchObject({ damaged: [], cutOff: undefined });
    }
  });

  test("finds any flipped byte, where it is and what it costs", async () => {
    const model = await filledQueue(1e6, 3);
    const [segment] = segmentsOf(model);
    const bytes = model.files.bytesOf(segment!);
    let withoutLoss = 0;
    for (let at = 0; at < bytes.length; at += 3) {
      const flipped = Buffer.from(bytes);
      flipped[at]! ^= 1 << (at % 8);
      const files = model.files.killed();
      files.put(segment!, flipped);
      const { damaged: [place, ...others], cutOff, missing, payloads } = verify(files);
      expect([at, others, cutOff]).toEqual([at, [], undefined]);
      expect(place!.from).toBeLessThanOrEqual(at);
      expect(place!.to).toBeGreaterThan(at);
      if (at < 64) {
        expect(place).toEqual({
          file: "0000000000000001.seg",
          from: 0,
          to: 64,
          records: 0,
          what: "header",
        });
        continue;
      }
      expect([at, missing, payloads]).toEqual([at, await lostWhenSent(files), 9]);
      if (missing === 0) withoutLoss++;
    }
    // Those that were sent already.
    expect(withoutLoss).toBeGreaterThan(50);
  });

  test("calls a torn end cut off when it may be, and damaged when it had been on the disk", async () => {
    const model = new QueueModel({ random: new Random(1), segmentBytes: 1e6 });
    await model.start();
    for (let i = 0; i < 9; i++) model.read("a", 5);
    await model.time(1000);
    const whole = model.files.bytesOf(segmentsOf(model)[0]!).length;
    model.read("a", 5);
    const [segment] = segmentsOf(model);
    const file = "0000000000000001.seg";
    const bytes = Buffer.from(model.files.bytesOf(segment!));
    const cut = (files: FragileFiles, to: number) => {
      const torn = files.killed();
      torn.put(segment!, Buffer.from(bytes.subarray(0, to)));
      return verify(torn);
    };
    // Nobody was told that the last entry is safe.
    expect(cut(model.files, bytes.length - 7)).toMatchObject({
      payloads: 9,
      damaged: [],
      cutOff: { file, from: whole, to: bytes.length - 7 },
    });
    const again = new QueueModel({ random: new Random(1), segmentBytes: 1e6 });
    again.files = model.files.killed();
    again.files.put(segment!, bytes);
    await again.start();
    again.deliver();
    expect(cut(again.files, bytes.length - 7)).toMatchObject({
      payloads: 9,
      damaged: [{ file, from: whole, to: bytes.length - 7, records: 5, what: "entries" }],
      cutOff: undefined,
    });
    expect(cut(again.files, whole)).toMatchObject({
      damaged: [{ file, from: whole, to: whole, records: 5, what: "missing" }],
      cutOff: undefined,
    });
  });

  test("says how many records are missing with a segment", async () => {
    const model = await filledQueue(400, 1);
    const segments = segmentsOf(model);
    for (const [i, segment] of segments.entries()) {
      const files = model.files.killed();
      files.remove(segment);
      const { damaged, missing } = verify(files);
      expect([i, missing]).toEqual([i, await lostWhenSent(files)]);
      expect(damaged.map(({ what }) => what)).toEqual(missing === 0 ? [] : ["missing"]);
    }
  });

  test("finds what is lost when the queue is sent, whatever was done to its files", async () => {
    const seed = Number(process.env.SEED ?? Date.now() % 1e9);
    for (let run = 0; run < 300; run++) {
      const random = new Random(seed + run);
      const model = await filledQueue(random.pick([300, 700, 1e6]), random.below(9));
      // So that it is known what had been on the disk.
      await model.start();
      model.deliver();
      model.kill();
      for (let i = random.below(3); i >= 0; i--) damage(model, random);
      const { missing } = verify(model.files);
      expect([seed + run, missing]).toEqual([seed + run, await lostWhenSent(model.files)]);
    }
  });

  test("takes what was given up at the limit, and what a crash left of positions, for sound", async () => {
    const model = new QueueModel({
      random: new Random(1),
      segmentBytes: 400,
      limitBytes: 1500,
      policy: "drop_oldest",
    });
    await model.start();
    for (let i = 0; i < 30; i++) model.read("a", 5);
    await model.time(1000);
    expect(model.drops.length).toBeGreaterThan(0);
    model.kill();
    expect(verify(model.files)).toMatchObject({ damaged: [], missing: 0 });
  });

  test("takes whatever a loss of power leaves for what it is: nothing that was safe is missing", async () => {
    const seed = Number(process.env.SEED ?? Date.now() % 1e9);
    for (let run = 0; run < 200; run++) {
      const random = new Random(seed + run);
      const model = new QueueModel({ random, segmentBytes: random.pick([300, 1e6]) });
      await model.start();
      for (let i = 0; i < 12; i++) {
        model.read("a", 5);
        if (random.below(3) === 0) await model.time(1000);
        if (random.below(3) === 0) model.deliver();
      }
      model.losePower();
      expect([seed + run, verify(model.files).missing]).toEqual([seed + run, 0]);
    }
  });
});

/** Does something to a segment. */
function damage({ files }: QueueModel, random: Random): void {
  const paths = files.paths.filter((path) => path.endsWith(".seg"));
  if (paths.length === 0) return;
  const path = random.pick(paths);
  const bytes = Buffer.from(files.bytesOf(path));
  const at = random.below(bytes.length);
  switch (random.below(4)) {
    case 0:
      bytes[at]! ^= 1 + random.below(255);
      break;
    case 1:
      bytes.fill(0, at, Math.min(bytes.length, at + random.below(300)));
      break;
    case 2:
      return files.put(path, bytes.subarray(0, at));
    case 3:
      return files.remove(path);
  }
  files.put(path, bytes);
}
