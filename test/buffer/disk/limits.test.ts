import { describe, expect, test } from "bun:test";
import { Random } from "../../support/random.ts";
import { QueueModel } from "./queue-model.ts";

const sum = (model: QueueModel, reason: string) =>
  model.drops.filter((drop) => drop.reason === reason).reduce((n, { records }) => n + records, 0);

async function limited(policy: "block" | "drop_oldest" | "drop_newest"): Promise<QueueModel> {
  const model = new QueueModel({
    random: new Random(1),
    limitBytes: 3000,
    segmentBytes: 300,
    policy,
  });
  await model.start();
  return model;
}

const numbers = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, i) => `a${from + i}`);

describe("fault 15: a disk queue at its limit", () => {
  test("with block says that it is full, and takes more once segments were given up", async () => {
    const model = await limited("block");
    let read = 0;
    while (!model.queue.isFull(0) && read < 1000) {
      model.read("a", 5);
      read += 5;
    }
    expect(read).toBeGreaterThan(50);
    expect(read).toBeLessThan(200);
    expect(model.queue.diskBytes).toBeLessThan(3400);
    await model.drain();
    expect(model.queue.isFull(0)).toBe(true);
    await model.commit();
    expect(model.queue.isFull(0)).toBe(false);
    expect(model.delivered).toEqual(numbers(0, read));
    expect(model.drops).toEqual([]);
  });

  test("with drop_oldest keeps the newest, counts what it gave up, and stays within the limit", async () => {
    const model = await limited("drop_oldest");
    for (let i = 0; i < 200; i++) {
      model.read("a", 5);
      expect(model.queue.diskBytes).toBeLessThanOrEqual(3300);
      expect(model.queue.isFull(0)).toBe(false);
    }
    const dropped = sum(model, "queue_full_oldest");
    expect(dropped).toBeGreaterThan(800);
    expect(model.queue.records).toBe(1000 - dropped);
    await model.drain();
    expect(model.delivered).toEqual(numbers(dropped, 1000));
    expect(model.queue.records).toBe(0);
  });

  test("with drop_oldest never gives up what is on its way", async () => {
    const model = await limited("drop_oldest");
    model.read("a", 5);
    model.take();
    for (let i = 0; i < 200; i++) model.read("a", 5);
    const dropped = sum(model, "queue_full_oldest");
    await model.drain();
    expect(model.delivered.slice(0, 5)).toEqual(numbers(0, 5));
    expect(model.delivered.length).toBe(1005 - dropped);
    expect(model.delivered.at(-1)).toBe("a1004");
  });

  test("with drop_newest keeps the oldest, and counts what it gave up", async () => {
    const model = await limited("drop_newest");
    for (let i = 0; i < 200; i++) model.read("a", 5);
    const dropped = sum(model, "queue_full_newest");
    expect(dropped).toBeGreaterThan(800);
    expect(model.queue.diskBytes).toBeLessThanOrEqual(3000);
    await model.drain();
    expect(model.delivered).toEqual(numbers(0, 1000 - dropped));
    expect(model.queue.records).toBe(0);
  });

  for (const policy of ["drop_oldest", "drop_newest"] as const) {
    test(`with ${policy} lets positions pass what it gave up, also over a kill`, async () => {
      const model = await limited(policy);
      for (let i = 0; i < 100; i++) model.read("a", 5);
      await model.time(1500);
      await model.commit();
      const dropped = model.drops.reduce((n, { records }) => n + records, 0);
      model.kill();
      await model.start();
      expect(model.positions[0]).toBe(500);
      await model.drain();
      expect(model.delivered.length).toBe(500 - dropped);
      expect(new Set(model.delivered).size).toBe(model.delivered.length);
      expect(model.messages).not.toContain("Lost");
    });
  }
});

describe("a disk queue whose disk is in trouble", () => {
  test("fault 12: because it is full takes nothing more, sends from memory, and goes on by itself", async () => {
    const model = new QueueModel({ random: new Random(1), segmentBytes: 300 });
    await model.start();
    for (let i = 0; i < 5; i++) model.read("a", 5);
    model.files.fault = (operation) => operation === "write" ? "short" : undefined;
    for (let i = 0; i < 3; i++) model.read("a", 5);
    // As much as a queue in memory would take.
    expect([model.queue.isFull(0), model.queue.isFull(2 * 1024 * 1024)]).toEqual([false, true]);
    expect(model.messages).toContain("Cannot write to the queue");
    for (let i = 0; i < 6; i++) model.deliver();
    expect(model.delivered).toEqual(numbers(0, 30));
    model.files.fault = () => undefined;
    await model.time(600);
    for (let i = 0; i < 2; i++) model.deliver();
    expect(model.queue.isFull(0)).toBe(false);
    model.read("a", 5);
    await model.drain();
    expect(model.delivered).toEqual(numbers(0, 45));
  });

  test("fault 14: that fails in a sync counts as having lost it: it is written again, and acked only then", async () => {
    const model = new QueueModel({ random: new Random(1), segmentBytes: 300 });
    await model.start();
    for (let i = 0; i < 4; i++) model.read("a", 5);
    model.files.fault = (operation) => operation === "sync" ? "EIO" : undefined;
    await model.time(1100);
    await model.commit();
    expect(model.savedPosition("a")).toBe(0);
    model.files.fault = () => undefined;
    await model.time(1100);
    await model.commit();
    expect(model.savedPosition("a")).toBe(20);
    model.losePower();
    await model.start();
    await model.drain();
    expect(model.delivered).toEqual(numbers(0, 20));
    expect(model.drops).toEqual([]);
  });
});

test("a disk queue that is closed while segments are being taken away lets that come to its end", async () => {
  const model = new QueueModel({ random: new Random(1), segmentBytes: 300 });
  await model.start();
  for (let i = 0; i < 4; i++) model.read("a", 5);
  await model.drain();
  const retired = model.queue.retired();
  expect(retired).not.toEqual([]);
  const removal = model.queue.remove(retired);
  await model.queue.close();
  await removal;
  await model.queue.remove(retired);
  expect(model.messages).toBe("");
  expect(retired.filter(({ path }) => model.files.facts(path) !== undefined)).toEqual([]);
});
