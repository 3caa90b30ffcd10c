import { describe, expect, test } from "bun:test";
import { Random } from "../../support/random.ts";
import { FOLDER, QueueModel } from "./queue-model.ts";

/** A queue of ten entries with five records each, none of them sent, whose process was ended. */
async function filledQueue(segmentBytes = 400): Promise<QueueModel> {
  const model = new QueueModel({ random: new Random(1), segmentBytes });
  await model.start();
  for (let i = 0; i < 10; i++) model.read("a", 5);
  await model.time(1000);
  await model.commit();
  model.kill();
  return model;
}

const segmentsOf = ({ files }: QueueModel) => files.paths.filter((path) => path.endsWith(".seg"));
const numbers = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, i) => `a${from + i}`);
const droppedBy = ({ drops }: QueueModel) =>
  drops.map(({ records, reason }) => `${records} ${reason}`);

async function sendAll(model: QueueModel): Promise<string[]> {
  await model.start();
  await model.drain();
  return model.delivered;
}

describe("a queue that was damaged while nobody used it", () => {
  test("fault 6: a torn last entry is cut off, and everything before it is sent", async () => {
    const model = await filledQueue();
    const last = segmentsOf(model).at(-1)!;
    const bytes = model.files.bytesOf(last);
    for (let left = bytes.length - 1; left > bytes.length - 60; left--) {
      const torn = model.files.killed();
      torn.put(last, Buffer.from(bytes.subarray(0, left)));
      const again = new QueueModel({ random: new Random(2) });
      again.files = torn;
      expect(await sendAll(again)).toEqual(numbers(0, 45));
    }
  });

  test("fault 7: of a flipped byte anywhere the entry that it is in is lost, counted and kept, and no other", async () => {
    const model = await filledQueue(1e6);
    const [segment] = segmentsOf(model);
    const bytes = model.files.bytesOf(segment!);
    for (let at = 0; at < bytes.length; at += 3) {
      const flipped = Buffer.from(bytes);
      flipped[at]! ^= 1 << (at % 8);
      const again = new QueueModel({ random: new Random(2) });
      again.files = model.files.killed();
      again.files.put(segment!, flipped);
      const delivered = await sendAll(again);
      // A header of a segment says nothing that is not known from elsewhere.
      const missing = numbers(0, 50).filter((text) => !delivered.includes(text));
      expect(missing).toHaveLength(at < 64 ? 0 : 5);
      expect(delivered).toEqual(numbers(0, 50).filter((text) => !missing.includes(text)));
      if (at < 64) continue;
      expect(droppedBy(again)).toEqual(["5 corrupt"]);
      expect(again.queue.records).toBe(0);
      const kept = again.files.paths.filter((path) => path.startsWith(`${FOLDER}/damaged/`));
      expect(kept).toHaveLength(1);
      expect(again.messages).toMatch(/^Lost 5 records of the queue: (.*seg is damaged|the last)/m);
    }
  });

  test("fault 7: of zeros over several entries those are lost and counted", async () => {
    const model = await filledQueue(1e6);
    const [segment] = segmentsOf(model);
    const bytes = Buffer.from(model.files.bytesOf(segment!));
    const entry = (bytes.length - 64) / 10;
    bytes.fill(0, 64 + Math.floor(entry * 2.5), 64 + Math.floor(entry * 5.5));
    model.files.put(segment!, bytes);
    const delivered = await sendAll(model);
    expect(delivered).toEqual([...numbers(0, 10), ...numbers(30, 50)]);
    expect(droppedBy(model)).toEqual(["20 corrupt"]);
  });

  test("fault 8: an empty, missing or damaged cursor costs no record", async () => {
    for (const damage of ["empty", "missing", "garbage", "short"]) {
      const model = await filledQueue();
      const path = `${FOLDER}/cursor`;
      const bytes = model.files.bytesOf(path);
      if (damage === "missing") model.files.remove(path);
      else if (damage === "empty") model.files.put(path, Buffer.alloc(0));
      else if (damage === "short") model.files.put(path, Buffer.from(bytes.subarray(0, 30)));
      else model.files.put(path, Buffer.alloc(bytes.length, 0x55));
      expect(await sendAll(model)).toEqual(numbers(0, 50));
      expect(droppedBy(model)).toEqual([]);
    }
  });

  test("fault 8: missing, empty and damaged indexes are made again", async () => {
    for (const content of [undefined, Buffer.alloc(0), Buffer.from("lcindex 1 5\n{}")]) {
      const model = await filledQueue();
      for (const path of model.files.paths.filter((each) => each.endsWith(".idx"))) {
        if (content === undefined) model.files.remove(path);
        else model.files.put(path, content);
      }
      expect(await sendAll(model)).toEqual(numbers(0, 50));
      expect(droppedBy(model)).toEqual([]);
    }
  });

  test("fault 8: a damaged queue.json is made again from what the segments say", async () => {
    for (const content of ["", "{", '{"version": 1}', "null"]) {
      const model = await filledQueue();
      model.files.put(`${FOLDER}/queue.json`, Buffer.from(content));
      expect(await sendAll(model)).toEqual(numbers(0, 50));
    }
  });

  test("fault 9: a segment that is missing is reported with its records, and the rest is sent", async () => {
    const model = await filledQueue();
    const segments = segmentsOf(model);
    expect(segments.length).toBeGreaterThan(3);
    model.files.remove(segments[1]!);
    const delivered = await sendAll(model);
    const lost = 50 - delivered.length;
    expect(lost).toBeGreaterThan(0);
    expect(droppedBy(model)).toEqual([`${lost} corrupt`]);
    expect(model.messages).toContain(`Lost ${lost} records of the queue: segments are missing`);
    expect(model.queue.records).toBe(0);
  });

  test("goes on whatever bytes are in a segment, and never sends anything that was not queued", async () => {
    const seed = Number(process.env.SEED ?? 20_240_601);
    const random = new Random(seed);
    const whole = await filledQueue();
    const known = new Set(numbers(0, 50));
    for (let i = 0; i < 300; i++) {
      const model = new QueueModel({ random });
      model.files = whole.files.killed();
      const path = random.pick(model.files.paths.filter((each) => /seg$|idx$|cursor$/.test(each)));
      const bytes = Buffer.from(model.files.bytesOf(path));
      const from = random.below(bytes.length + 1);
      const length = random.below(300);
      const kind = random.pick(["overwrite", "insert", "remove", "truncate", "repeat"]);
      const noise = Buffer.from(Array.from({ length }, () => random.below(256)));
      const part = bytes.subarray(from, from + length);
      const changed = {
        overwrite: [bytes.subarray(0, from), noise, bytes.subarray(from + length)],
        insert: [bytes.subarray(0, from), noise, bytes.subarray(from)],
        remove: [bytes.subarray(0, from), bytes.subarray(from + length)],
        truncate: [bytes.subarray(0, from)],
        repeat: [bytes.subarray(0, from), part, part, bytes.subarray(from + length)],
      }[kind]!;
      model.files.put(path, Buffer.concat(changed));
      const delivered = await sendAll(model);
      const what = `seed ${seed}, round ${i}: ${kind} ${length} bytes at ${from} of ${path}`;
      expect(delivered.filter((text) => !known.has(text)), what).toEqual([]);
      expect(new Set(delivered).size, what).toBe(delivered.length);
      expect(model.queue.records, what).toBe(0);
      await model.queue.close();
      expect(model.files.openDescriptors, what).toBe(0);
    }
  });
});

describe("fault 4: a queue that is killed while it gives segments up", () => {
  test("starts again at every step, and sends nothing twice", async () => {
    for (let step = 1; step < 40; step++) {
      const model = await filledQueue();
      await model.start();
      for (let i = 0; i < 8; i++) model.deliver();
      let changes = 0;
      model.files.onChange = () => {
        if (++changes === step) model.files.isCrashed = true;
      };
      await model.commit().catch(() => undefined);
      const crashed = model.files.isCrashed;
      model.kill();
      expect(await sendAll(model)).toEqual(numbers(0, 50));
      expect(droppedBy(model)).toEqual([]);
      if (!crashed) return;
    }
  });
});
