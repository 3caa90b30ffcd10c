import { describe, expect, test } from "bun:test";
import { readLetter } from "../../../src/buffer/dead-letters/read-letter.ts";
import { type DiskFiles, systemDiskFiles } from "../../../src/buffer/disk/files.ts";
import { Destination } from "../../../src/cli/dlq/destination.ts";
import { replayLetter } from "../../../src/cli/dlq/replay-letter.ts";
import { parseLetterId } from "../../../src/buffer/dead-letters/letter-name.ts";
import {
  PartialError,
  type Payload,
  PermanentError,
  ThrottledError,
} from "../../../src/sdk/mod.ts";
import { ManualClock } from "../../support/context.ts";
import { DlqFolder } from "./support.ts";

type Answer = Error | undefined;

/** Letters that are sent to an output whose every attempt a test decides about. */
class Replay {
  readonly sent: string[] = [];
  readonly said: string[] = [];
  refusedAgain = 0;
  readonly abort = new AbortController();
  readonly clock = new ManualClock();
  readonly folder: DlqFolder;
  readonly destination: Destination;
  files: DiskFiles = systemDiskFiles;
  answers: Answer[] = [];
  opened = 0;
  /** The output says nothing to this many letters. */
  hangs = 0;
  hung: AbortSignal | undefined;

  constructor(folder: DlqFolder) {
    this.folder = folder;
    this.destination = new Destination({
      id: "http.0",
      plugin: "http",
      format: "json_lines",
      output: {
        encode() {},
        open: async () => {
          if (this.opened++ === 0 && this.answers[0]?.message === "closed") {
            throw this.answers.shift();
          }
        },
        send: async (
          { bytes, attempt, records, partition }: Payload,
          signal: AbortSignal,
        ) => {
          this.sent.push(`${attempt}/${records}/${partition}: ${Buffer.from(bytes)}`);
          if (this.hangs-- > 0) {
            this.hung = signal;
            await new Promise(() => {});
          }
          const answer = this.answers.shift();
          if (answer !== undefined) throw answer;
        },
      },
    }, this.clock);
  }

  async send(id: string, passMs = 10_000_000) {
    const { folder, destination, files, abort: { signal } } = this;
    let done = false;
    const outcome = replayLetter(parseLetterId(id)!, destination, {
      files,
      folder: folder.letters,
      signal,
      say: (line) => void this.said.push(line),
      onRefusedAgain: (records) => void (this.refusedAgain += records),
    }).finally(() => done = true);
    for (let ms = 0; ms < passMs && !done; ms += 500) {
      // The disk takes its own time.
      await Bun.sleep(1);
      this.clock.advance(500);
    }
    return await outcome;
  }
}

describe("a letter that is sent again", () => {
  test("is removed once it has arrived, and not before", async () => {
    using folder = new DlqFolder();
    const id = await folder.add({ text: "a b", records: 2, partition: "p" });
    const replay = new Replay(folder);
    replay.answers = [new Error("no route"), new Error("no route")];
    expect(await replay.send(id)).toEqual({ delivered: 2, left: 0, lost: 0 });
    expect(replay.sent).toEqual([1, 2, 3].map((attempt) => `${attempt}/2/p: a b`));
    expect(replay.said).toEqual([`Delivered ${id}, 2 records, to http.0`]);
    expect(folder.ids).toEqual([]);
  });

  test("stays when it is refused again, at the first word", async () => {
    using folder = new DlqFolder();
    const id = await folder.add();
    const replay = new Replay(folder);
    replay.answers = [new PermanentError("status is 400\x1b")];
    expect(await replay.send(id)).toEqual({ delivered: 0, left: 10, lost: 0 });
    expect(replay.said).toEqual([`Left ${id}, 10 records: refused again: status is 400\\x1b`]);
    expect([replay.sent.length, folder.ids]).toEqual([1, [id]]);
  });

  test("stays after a few attempts, and after three such letters the others are not tried", async () => {
    using folder = new DlqFolder();
    const ids = [];
    for (let i = 0; i < 5; i++) ids.push(await folder.add());
    const replay = new Replay(folder);
    replay.answers = Array.from({ length: 100 }, () => new Error("no route"));
    for (const id of ids) await replay.send(id);
    expect(replay.said).toEqual([
      ...ids.slice(0, 3).map((id) => `Left ${id}, 10 records: 4 attempts failed: no route`),
      ...ids.slice(3).map((id) =>
        `Left ${id}, 10 records: not tried, as output "http.0" does not get on`
      ),
    ]);
    expect([replay.sent.length, folder.ids]).toEqual([12, ids]);
  });

  test("is tried again when the destination asks for a pause, unless that is too long", async () => {
    using folder = new DlqFolder();
    const [first, second] = [await folder.add(), await folder.add()];
    const replay = new Replay(folder);
    replay.answers = [new ThrottledError("slow down", 30_000)];
    const before = replay.clock.nowMs();
    await replay.send(first!);
    expect(replay.clock.nowMs() - before).toBeWithin(30_000, 32_000);
    replay.answers = [new ThrottledError("slow down", 600_000)];
    await replay.send(second!);
    expect(replay.said.at(-1)).toBe(
      `Left ${second}, 10 records: it asks for a pause of 600 s: slow down`,
    );
  });

  test("that is never answered stays after a while, and is not sent another time", async () => {
    using folder = new DlqFolder();
    const [first, second] = [await folder.add(), await folder.add()];
    const replay = new Replay(folder);
    replay.hangs = 1;
    const before = replay.clock.nowMs();
    expect(await replay.send(first!)).toEqual({ delivered: 0, left: 10, lost: 0 });
    expect(replay.clock.nowMs() - before).toBeWithin(120_000, 121_000);
    expect(replay.hung!.aborted).toBe(true);
    expect(replay.said).toEqual([
      `Left ${first}, 10 records: no answer within 120 s; it may have arrived`,
    ]);
    expect(await replay.send(second!)).toEqual({ delivered: 10, left: 0, lost: 0 });
    expect(folder.ids).toEqual([first!]);
  });

  test("is sent when the output could be opened at another attempt", async () => {
    using folder = new DlqFolder();
    const replay = new Replay(folder);
    replay.answers = [new Error("closed")];
    await replay.send(await folder.add());
    await replay.send(await folder.add());
    expect([replay.opened, replay.sent.map((text) => text[0])]).toEqual([2, ["2", "1"]]);
  });

  test("of which a part arrives gives way to the rest, before the next attempt", async () => {
    using folder = new DlqFolder();
    const id = await folder.add({ text: "a b c", records: 3, attempts: 5 });
    const replay = new Replay(folder);
    const rest = new PartialError("one failed", Buffer.from("b c"), 2);
    replay.answers = [rest, ...Array.from({ length: 3 }, () => new Error("no route"))];
    expect(await replay.send(id)).toEqual({ delivered: 1, left: 2, lost: 0 });
    const restId = id.replace("-3-", "-2-");
    expect(folder.ids).toEqual([restId]);
    const { header, bytes } = readLetter(systemDiskFiles, folder.letters, restId);
    expect(bytes.toString()).toBe("b c");
    expect(header).toMatchObject({
      time: "2026-11-22T14:05:00.000Z",
      output: "http.0",
      records: 2,
      reason: "refused",
      message: "one failed",
      attempts: 6,
    });
    expect(replay.said).toEqual([
      `Delivered a part of ${id}; the other 2 records are ${restId}`,
      `Left ${restId}, 2 records: 4 attempts failed: no route`,
    ]);
    expect(replay.sent.at(-1)).toBe("4/2/: b c");
    expect(await replay.send(restId)).toEqual({ delivered: 2, left: 0, lost: 0 });
    expect(folder.ids).toEqual([]);
  });

  test("of which a part arrives and the rest cannot be kept is sent no more, and stays whole", async () => {
    using folder = new DlqFolder();
    const id = await folder.add({ text: "a b", records: 2 });
    const replay = new Replay(folder);
    replay.files = {
      ...systemDiskFiles,
      write() {
        throw Object.assign(new Error("ENOSPC: no space left"), { code: "ENOSPC" });
      },
    };
    replay.answers = [new PartialError("one failed", Buffer.from("b"), 1)];
    expect(await replay.send(id)).toEqual({ delivered: 0, left: 2, lost: 0 });
    expect(replay.said).toEqual([
      `Left ${id}, 2 records: a part arrived, and the rest cannot be kept: ENOSPC: no space left`,
    ]);
    expect([replay.sent.length, folder.ids]).toEqual([1, [id]]);
  });

  test("of which records are refused again makes letters of those", async () => {
    using folder = new DlqFolder();
    const id = await folder.add({ text: "a b c d e f", records: 6, attempts: 1 });
    const replay = new Replay(folder);
    const part = (text: string, records: number, message?: string) => ({
      bytes: Buffer.from(text),
      records,
      ...(message !== undefined && { message }),
    });
    replay.answers = [
      new PartialError("some failed", Buffer.from("d e f"), 3, 2, {
        refusedParts: [part("a", 1, "a is no number"), part("b", 1)],
      }),
      new PartialError("one failed", new Uint8Array(), 0, 1, { refusedParts: [part("e", 1)] }),
    ];
    expect(await replay.send(id)).toEqual({ delivered: 3, left: 0, lost: 0 });
    expect(replay.refusedAgain).toBe(3);
    const letters = folder.ids.map((id) => readLetter(systemDiskFiles, folder.letters, id));
    expect(letters.map(({ header, bytes }) => [bytes.toString(), header.message])).toEqual([
      ["a", "a is no number"],
      ["b", "some failed"],
      ["e", "one failed"],
    ]);
    expect(letters.map(({ header }) => [header.records, header.reason, header.attempts])).toEqual([
      [1, "refused", 2],
      [1, "refused", 2],
      [1, "refused", 3],
    ]);
    expect(replay.said[0]).toBe(
      `Left 1 record of ${id}, as ${folder.ids[0]}: refused again: a is no number`,
    );
  });

  test("of which records are refused again and cannot be kept stays whole", async () => {
    using folder = new DlqFolder();
    const id = await folder.add({ text: "a b", records: 2 });
    const replay = new Replay(folder);
    replay.files = {
      ...systemDiskFiles,
      write() {
        throw Object.assign(new Error("ENOSPC: no space left"), { code: "ENOSPC" });
      },
    };
    const refusedParts = [{ bytes: Buffer.from("b"), records: 1 }];
    replay.answers = [new PartialError("one failed", new Uint8Array(), 0, 1, { refusedParts })];
    expect(await replay.send(id)).toEqual({ delivered: 0, left: 2, lost: 0 });
    expect(folder.ids).toEqual([id]);
  });

  test("of which records are refused for good says how many are lost", async () => {
    using folder = new DlqFolder();
    const id = await folder.add({ text: "a b c", records: 3 });
    const replay = new Replay(folder);
    replay.answers = [new PartialError("1 item: mapping", new Uint8Array(), 0, 1)];
    expect(await replay.send(id)).toEqual({ delivered: 2, left: 0, lost: 1 });
    expect(replay.said[0]).toBe(`Lost 1 record of ${id}, refused for good: 1 item: mapping`);
    expect(folder.ids).toEqual([]);
  });

  test("stays when somebody stops it", async () => {
    using folder = new DlqFolder();
    const id = await folder.add();
    const replay = new Replay(folder);
    replay.answers = Array.from({ length: 9 }, () => new Error("no route"));
    const sending = replay.send(id, 1000);
    await Bun.sleep(1);
    replay.abort.abort();
    await sending;
    expect(replay.said).toEqual([`Left ${id}, 10 records: stopped`]);
    expect(folder.ids).toEqual([id]);
  });

  test("stays when its output is another one now, or it is damaged", async () => {
    using folder = new DlqFolder();
    const ids = [
      await folder.add({ plugin: "file" }),
      await folder.add({ format: "" }),
      await folder.add({ format: "msgpack" }),
    ];
    const damaged = await folder.add();
    await Bun.write(`${folder.letters}/${damaged}.dead`, "x");
    const replay = new Replay(folder);
    for (const id of [...ids, damaged, damaged.replace("0000", "0001")]) await replay.send(id);
    expect(replay.said.map((line) => line.replace(/^Left \S+ 10 records: /, ""))).toEqual([
      'it is for the plugin file, and output "http.0" is of http',
      'it is in its only format, and output "http.0" sends format json_lines',
      'it is in format msgpack, and output "http.0" sends format json_lines',
      "damaged: it does not begin as a dead letter",
      "it is not there any more",
    ]);
    expect([replay.sent, folder.ids.length]).toEqual([[], 4]);
  });
});
