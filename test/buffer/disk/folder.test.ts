import { describe, expect, test } from "bun:test";
import {
  chownSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { systemDiskFiles } from "../../../src/buffer/disk/files.ts";
import { openQueue } from "../../../src/buffer/disk/open-queue.ts";
import { queueFolderName, QueueRefused } from "../../../src/buffer/disk/queue-folder.ts";
import { SegmentLog } from "../../../src/buffer/disk/segment-log.ts";
import { TempFolder } from "../../support/temp-folder.ts";

const identity = { output: "out", plugin: "http", format: "json_lines" };
const uid = process.geteuid!();

function open(folder: string, id = "0123456789abcdef".repeat(2)) {
  return openQueue({ files: systemDiskFiles, folder, identity, newId: () => id, uid });
}

/** A queue with three entries in as many segments. */
async function makeQueue(folder: string, id?: string): Promise<void> {
  const opened = await open(folder, id);
  const log = new SegmentLog(systemDiskFiles, opened, 300);
  const description = { partition: "", claims: [], sources: new Map() };
  for (let i = 0; i < 3; i++) log.append(Buffer.from("x".repeat(100)), 1, description);
  await log.sync();
  log.close();
  opened.cursorFile.close();
}

/** Everything in a folder, with the time of its last change. */
function snapshot(folder: string): string[] {
  return readdirSync(folder, { recursive: true }).map((name) => {
    const { mtimeNs, size } =
      statSync(`${folder}/${name}`, { bigint: true, throwIfNoEntry: false }) ??
        { mtimeNs: 0n, size: 0n };
    return `${name} ${mtimeNs} ${size}`;
  }).sort();
}

async function refusal(folder: string): Promise<string> {
  const before = snapshot(folder);
  const error = await open(folder).then(() => undefined, (thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(QueueRefused);
  expect(snapshot(folder)).toEqual(before);
  return (error as Error).message;
}

describe("fault 10: a queue's folder", () => {
  test("is made for its user alone, with all that is in it", async () => {
    using temp = new TempFolder();
    const folder = temp.at("state/queues/out");
    await makeQueue(folder);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    expect(statSync(temp.at("state")).mode & 0o777).toBe(0o700);
    expect(readdirSync(folder).sort()).toEqual([
      "0000000000000001.idx",
      "0000000000000001.seg",
      "0000000000000002.idx",
      "0000000000000002.seg",
      "0000000000000003.idx",
      "0000000000000003.seg",
      "cursor",
      "queue.json",
    ]);
    for (const name of readdirSync(folder)) {
      expect(statSync(`${folder}/${name}`).mode & 0o777).toBe(0o600);
    }
  });

  test("with a file of somebody else's in it is refused and left alone", async () => {
    using temp = new TempFolder();
    await makeQueue(temp.at("q"));
    writeFileSync(temp.at("q/notes.txt"), "hello");
    expect(await refusal(temp.at("q"))).toBe(
      `Cannot use the queue in ${temp.at("q")}: ${
        temp.at("q/notes.txt")
      } does not belong to a queue. ` +
        "Nothing was changed there",
    );
  });

  test("with a symbolic link in it is refused, whatever it leads to", async () => {
    using temp = new TempFolder();
    await makeQueue(temp.at("q"));
    renameSync(temp.at("q/0000000000000003.seg"), temp.at("elsewhere"));
    symlinkSync(temp.at("elsewhere"), temp.at("q/0000000000000003.seg"));
    expect(await refusal(temp.at("q"))).toContain("0000000000000003.seg is a symbolic link");
  });

  test("that is a link or a file itself is refused", async () => {
    using temp = new TempFolder();
    await makeQueue(temp.at("real"));
    symlinkSync(temp.at("real"), temp.at("link"));
    await expect(open(temp.at("link"))).rejects.toThrow("it is a link, not a folder");
    writeFileSync(temp.at("file"), "");
    await expect(open(temp.at("file"))).rejects.toThrow("it is a file, not a folder");
  });

  test("with a folder or device in the place of a file is refused", async () => {
    using temp = new TempFolder();
    await makeQueue(temp.at("q"));
    mkdirSync(temp.at("q/0000000000000009.seg"));
    expect(await refusal(temp.at("q"))).toContain("0000000000000009.seg is no file");
  });

  test("of another user is refused", async () => {
    if (uid !== 0) return console.log("skipped: files can be given away by root only");
    using temp = new TempFolder();
    await makeQueue(temp.at("q"));
    chownSync(temp.at("q/cursor"), 12345, 12345);
    expect(await refusal(temp.at("q"))).toMatch(
      /cursor belongs to user 12345, and this process runs as user 0; chown the folder/,
    );
  });

  test("of a newer version is refused", async () => {
    using temp = new TempFolder();
    await makeQueue(temp.at("q"));
    const path = temp.at("q/queue.json");
    writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, "utf8")), version: 2 }));
    expect(await refusal(temp.at("q"))).toContain(
      "it was written by a newer version of this program (format 2, known is 1)",
    );
  });

  test("with a segment of another queue is refused", async () => {
    using temp = new TempFolder();
    await makeQueue(temp.at("q"));
    await makeQueue(temp.at("other"), "f".repeat(32));
    renameSync(temp.at("other/0000000000000001.seg"), temp.at("q/0000000000000001.seg"));
    expect(await refusal(temp.at("q"))).toContain("belongs to another queue");
  });

  test("is named so that every output, plugin and form of payloads has its own", () => {
    const name = (output: string, plugin = "http", format = "") =>
      queueFolderName({ output, plugin, format });
    expect(name("http.0", "http", "json_lines")).toBe("http.0@http@json_lines");
    expect(name("http.0")).toBe("http.0@http");
    expect(name("a/../b ü@")).toBe("a%2f..%2fb%20%c3%bc%40@http");
    expect(name(".hidden")).toBe("%2ehidden@http");
    const long = name("x".repeat(500));
    expect(long.length).toBe(200);
    expect(long).not.toBe(name("x".repeat(501)));
  });
});
