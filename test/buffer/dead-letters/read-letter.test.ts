import { describe, expect, test } from "bun:test";
import { DamagedLetter } from "../../../src/buffer/dead-letters/letter.ts";
import { letterFile, parseLetterFile } from "../../../src/buffer/dead-letters/letter-name.ts";
import { readLetter, readLetterHeader } from "../../../src/buffer/dead-letters/read-letter.ts";
import { crc32c } from "../../../src/lib/crc32c.ts";
import { FragileFiles } from "../disk/fragile-files.ts";
import { letter, StoreDriver } from "./letters.ts";

const FOLDER = "/state/rejected";

/** What reading a letter says whose file was changed like this. */
async function changed(change: (bytes: Buffer) => Buffer): Promise<string[]> {
  const files = new FragileFiles();
  const driver = new StoreDriver(files, FOLDER);
  await (await driver.open()).keep(letter({ text: "payload" }));
  const [id] = driver.ids;
  const path = `${FOLDER}/${letterFile(id!)}`;
  files.put(path, change(Buffer.from(files.bytesOf(path))));
  return [readLetterHeader, readLetter].map((read) => {
    try {
      read(files, FOLDER, id!);
      return "well";
    } catch (error) {
      expect(error).toBeInstanceOf(DamagedLetter);
      return (error as Error).message;
    } finally {
      expect(files.openDescriptors).toBe(0);
    }
  });
}

/** A file with this header and the right checksum for it. */
function forged(header: string): Buffer {
  const checksum = crc32c(Buffer.from(header)).toString(16).padStart(8, "0");
  return Buffer.from(`logcollector dead letter 1\n${checksum} ${header}\npayload`);
}

describe("a letter's file", () => {
  test("has two lines that a person can read in front of the payload", async () => {
    await changed((bytes) => {
      expect(bytes.toString()).toMatch(
        /^logcollector dead letter 1\n[0-9a-f]{8} \{"time":"2023-11-14T22:13:20.000Z","output":"http.0","plugin":"http","format":"json_lines","partition":"","records":10,"reason":"refused","message":"Cannot post to 127.0.0.1:80: status is 400","attempts":1,"bytes":7,"crc32c":\d+\}\npayload$/,
      );
      return bytes;
    });
  });

  test("of any flipped bit of it one is told", async () => {
    let length = Infinity;
    for (let bit = 0; bit < length; bit += 5) {
      const [head, whole] = await changed((bytes) => {
        length = bytes.length * 8;
        bytes[bit >> 3]! ^= 1 << (bit & 7);
        return bytes;
      });
      const inPayload = bit >> 3 >= length / 8 - "payload".length;
      expect([bit, head === "well", whole === "well"]).toEqual([bit, inPayload, false]);
    }
  });

  test("that is cut off anywhere is told", async () => {
    let length = Infinity;
    for (let at = 0; at < length; at++) {
      const told = await changed((bytes) => {
        length = bytes.length;
        return bytes.subarray(0, at);
      });
      expect([at, told.includes("well")]).toEqual([at, false]);
    }
  });

  test.each([
    ["it ends within its header", (bytes: Buffer) => bytes.subarray(0, 60)],
    ["it ends within its header", () => Buffer.alloc(0)],
    ["the last 3 bytes of its payload are missing", (bytes: Buffer) => bytes.subarray(0, -3)],
    [
      "there are 2 bytes behind its payload",
      (bytes: Buffer) => Buffer.concat([bytes, Buffer.alloc(2)]),
    ],
    ["it does not begin as a dead letter", () => Buffer.from("\x7fELF and so on, for a while")],
    ["it does not begin as a dead letter", () => Buffer.alloc(10_000)],
    [
      "it was written by a newer version of this program (format 2, known is 1)",
      () => Buffer.from("logcollector dead letter 2\nwhatever"),
    ],
    ["its header lacks something", () => forged("{}")],
    ["its header lacks something", () => forged("null")],
    ["its header lacks something", () => forged("not JSON")],
    [
      "its header lacks something",
      () =>
        forged(
          '{"time":"","output":"","plugin":"","format":"","partition":"","records":1,"reason":"","message":"","attempts":1,"bytes":-7,"crc32c":1}',
        ),
    ],
  ])("says: %s", async (message, change) => {
    expect(await changed(change)).toEqual([message, message]);
  });

  test("a header without an end is not read for ever", async () => {
    const [told] = await changed(() =>
      Buffer.concat([Buffer.from("logcollector dead letter 1\n"), Buffer.alloc(70e6, 65)])
    );
    expect(told).toBe("its header has no end");
  });
});

test.each([
  "x.dead",
  "20231114T221320.000Z-0000-10-.dead",
  "20231114T221320.000Z-0000-10-http.0",
  "20231314T221320.000Z-0000-10-http.0.dead",
  "20231114T221320.000Z-0000-x-http.0.dead",
  "20231114T221320.000Z-0000-10-a/b.dead",
])("%s is no letter's name", (name) => {
  expect(parseLetterFile(name)).toBeUndefined();
});
