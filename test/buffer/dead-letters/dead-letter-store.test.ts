import { describe, expect, test } from "bun:test";
import { chmodSync, mkdirSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import type { DeadLetter } from "../../../src/buffer/dead-letters/letter.ts";
import { systemDiskFiles } from "../../../src/buffer/disk/files.ts";
import { Random } from "../../support/random.ts";
import { onSmallDisk } from "../../support/small-disk.ts";
import { TempFolder } from "../../support/temp-folder.ts";
import { FragileFiles } from "../disk/fragile-files.ts";
import { letter, StoreDriver } from "./letters.ts";

/** A store in memory, and a second before which nothing is old. */
function inMemory(): StoreDriver & { readonly files: FragileFiles } {
  return new StoreDriver(new FragileFiles(), "/state/rejected") as never;
}

describe("keep", () => {
  test("gives back any bytes and any text of a letter as they were", async () => {
    const seed = Number(process.env.SEED ?? Date.now() % 1e9);
    const random = new Random(seed);
    const text = (limit: number) =>
      Array.from(
        { length: random.below(limit) },
        () =>
          random.below(4) === 0
            ? String.fromCharCode(random.below(0x10000))
            : String.fromCodePoint(random.pick([0, 10, 34, 92, 97, 0x7f, 0xe9, 0x2028, 0x1f600])),
      )
        .join("");
    const driver = inMemory();
    const store = await driver.open();
    const kept: { readonly letter: DeadLetter; readonly time: string }[] = [];
    for (let i = 0; i < 200; i++) {
      const bytes = Buffer.from(
        Array.from({ length: random.below(300) }, () => random.below(256)),
      );
      const one = {
        output: text(200),
        plugin: text(20),
        format: text(20),
        // Some are longer than what is read at first.
        partition: text(i % 20 === 0 ? 9000 : 50),
        bytes,
        records: random.below(1e6),
        reason: text(20),
        message: text(500),
        attempts: random.below(100),
      };
      driver.clock.advance(1000);
      driver.clock.wallNsec = random.below(1e9);
      const { sec, nsec } = driver.clock.wall();
      kept.push({
        letter: one,
        time: new Date(sec * 1000 + Math.floor(nsec / 1e6)).toISOString(),
      });
      await store.keep(one);
    }
    const read = driver.ids.map((id) => driver.read(id));
    expect({ seed, count: read.length }).toEqual({ seed, count: kept.length });
    read.forEach(({ header: { crc32c: _, bytes: length, ...header }, bytes }, i) => {
      const { letter: { bytes: wanted, ...rest }, time } = kept[i]!;
      expect({ seed, ...header, length }).toEqual({ seed, ...rest, time, length: wanted.length });
      expect(bytes.equals(wanted)).toBe(true);
    });
  });

  test("cuts a message that quotes a whole answer", async () => {
    const driver = inMemory();
    await (await driver.open()).keep(letter({ message: "x".repeat(1e6) }));
    expect(driver.read(driver.ids[0]!).header.message).toBe(`${"x".repeat(2000)}…`);
  });

  test("keeps no password of a URL that a message quotes", async () => {
    const driver = inMemory();
    const message = "Cannot post to https://me:s3cr%40t@host/a?b@c and amqp://token@host: refused";
    await (await driver.open()).keep(letter({ message }));
    expect(driver.read(driver.ids[0]!).header.message)
      .toBe("Cannot post to https://***@host/a?b@c and amqp://***@host: refused");
  });

  test("names letters so that they sort as they came, each its own, whoever writes them", async () => {
    const driver = inMemory();
    const stores = [await driver.open(), await driver.open()];
    for (let i = 0; i < 3; i++) {
      await Promise.all(
        stores.map((store) => store.keep(letter({ text: `${i}`, output: "a b/c" }))),
      );
    }
    driver.clock.wallNsec = 5_000_000;
    await stores[0]!.keep(letter({ text: "3" }));
    expect(driver.ids).toEqual([
      ...[0, 1, 2, 3, 4, 5].map((n) => `20231114T221320.000Z-000${n}-10-a%20b%2fc`),
      "20231114T221320.005Z-0000-10-http.0",
    ]);
    expect(driver.texts.map(Number)).toEqual([0, 0, 1, 1, 2, 2, 3]);
  });

  test("makes files and folders that nobody else may read", async () => {
    using temp = new TempFolder();
    const driver = new StoreDriver(systemDiskFiles, temp.at("state/rejected"));
    await (await driver.open()).keep(letter());
    const modeOf = (path: string) => (statSync(path).mode & 0o777).toString(8);
    expect(modeOf(driver.folder)).toBe("700");
    expect(modeOf(`${driver.folder}/${driver.names[0]}`)).toBe("600");
    expect(driver.names).toEqual(["20231114T221320.000Z-0000-10-http.0.dead"]);
  });

  test("keeps on when somebody took the folder away", async () => {
    using temp = new TempFolder();
    const driver = new StoreDriver(systemDiskFiles, temp.at("rejected"));
    const store = await driver.open();
    rmSync(driver.folder, { recursive: true });
    await store.keep(letter({ text: "a" }));
    expect(driver.texts).toEqual(["a"]);
  });
});

describe("a disk that fails", () => {
  for (const operation of ["create", "write", "sync", "rename", "syncFolder"]) {
    for (const fault of ["ENOSPC", "EIO", "short"] as const) {
      if (fault === "short" && operation !== "write") continue;
      test(`${fault} at ${operation}: keep rejects, and leaves nothing behind`, async () => {
        const driver = inMemory();
        const store = await driver.open();
        await store.keep(letter({ text: "before" }));
        driver.files.fault = (each) => each === operation ? fault : undefined;
        await expect(store.keep(letter({ text: "lost?" }))).rejects.toThrow(
          fault === "short" ? "ENOSPC" : fault,
        );
        driver.files.fault = () => undefined;
        expect(driver.texts).toEqual(["before"]);
        expect(driver.names).toHaveLength(1);
        expect(store.held.size).toBe(1);
        await store.keep(letter({ text: "after" }));
        expect(driver.texts).toEqual(["before", "after"]);
        expect(driver.files.openDescriptors).toBe(0);
      });
    }
  }

  test("whatever a loss of power leaves, a letter that was kept is there, and each is whole", async () => {
    const seed = Number(process.env.SEED ?? Date.now() % 1e9);
    for (let run = 0; run < 200; run++) {
      const random = new Random(seed + run);
      const driver = inMemory();
      const store = await driver.open();
      let kept = 0;
      let changesLeft = 1 + random.below(40);
      driver.files.onChange = () => {
        if (--changesLeft === 0) driver.files.isCrashed = true;
      };
      const texts = Array.from({ length: 6 }, (_, i) => `${i}`.repeat(100 + random.below(200)));
      try {
        for (const text of texts) {
          await store.keep(letter({ text }));
          kept++;
        }
      } catch {
        // It crashed.
      }
      const after = new StoreDriver(driver.files.powerLost(random), driver.folder);
      await after.open();
      expect({ seed: seed + run, wrong: after.texts.filter((text) => !texts.includes(text)) })
        .toEqual({ seed: seed + run, wrong: [] });
      const missing = texts.slice(0, kept).filter((text) => !after.texts.includes(text));
      expect({ seed: seed + run, missing }).toEqual({ seed: seed + run, missing: [] });
      expect(after.names.filter((name) => !name.endsWith(".dead"))).toEqual([]);
    }
  });

  test("a full disk: keep rejects until there is room again", async () => {
    await onSmallDisk("256k", async (folder) => {
      const driver = new StoreDriver(systemDiskFiles, `${folder}/rejected`);
      const store = await driver.open();
      writeFileSync(`${folder}/other`, Buffer.alloc(200_000));
      await expect(store.keep(letter({ text: "x".repeat(100_000) }))).rejects.toThrow("ENOSPC");
      expect(driver.names).toEqual([]);
      rmSync(`${folder}/other`);
      await store.keep(letter({ text: "x".repeat(100_000) }));
      expect(driver.texts).toEqual(["x".repeat(100_000)]);
    });
  });

  test("a read-only disk: keep rejects, and a start says that nothing can be kept", async () => {
    await onSmallDisk("256k", async (folder, remount) => {
      const driver = new StoreDriver(systemDiskFiles, `${folder}/rejected`);
      const store = await driver.open();
      await store.keep(letter());
      remount("ro");
      await expect(store.keep(letter())).rejects.toThrow("EROFS");
      await expect(driver.open()).rejects.toThrow(
        `Cannot keep dead letters in ${folder}/rejected: EROFS`,
      );
      remount("rw");
      await store.keep(letter());
      expect(driver.ids).toHaveLength(2);
    });
  });
});

describe("limits", () => {
  test("the oldest letters make room for new ones, counted and said", async () => {
    const driver = inMemory();
    const store = await driver.open({ limitBytes: 2500 });
    for (let i = 0; i < 6; i++) {
      await store.keep(letter({ text: `${i}`.repeat(500) }));
      driver.clock.advance(1000);
    }
    expect(driver.texts.map((text) => text[0])).toEqual(["3", "4", "5"]);
    expect(driver.removed).toEqual([
      "10 dead_letter_limit",
      "10 dead_letter_limit",
      "10 dead_letter_limit",
    ]);
    expect(store.held).toMatchObject({ size: 3, records: 30 });
    expect(store.held.bytes).toBeWithin(1500, 2500);
    expect(driver.messages[0]).toBe(
      "warn: Removed 1 dead letter with 10 records, the oldest: there is room for 2500 bytes (storage.rejected.limit) and 10000 letters",
    );
  });

  test("a letter that is larger than all the space is dropped and counted, and costs no other", async () => {
    const driver = inMemory();
    const store = await driver.open({ limitBytes: 2000 });
    await store.keep(letter({ text: "small" }));
    await store.keep(letter({ text: "x".repeat(2001), records: 77 }));
    expect(driver.texts).toEqual(["small"]);
    expect(driver.removed).toEqual(["77 dead_letter_limit"]);
    expect(driver.messages).toEqual([
      "error: Dropped a dead letter of http.0 with 77 records: 2001 bytes are more than storage.rejected.limit, 2000",
    ]);
  });

  test("there are only so many letters, also of those that were there before", async () => {
    const driver = inMemory();
    const before = await driver.open();
    for (let i = 0; i < 5; i++) await driver.keep(before, `${i}`);
    const store = await driver.open({ maxLetters: 3 });
    expect(driver.texts).toEqual(["2", "3", "4"]);
    expect(driver.removed).toEqual(["20 dead_letter_limit"]);
    await driver.keep(store, "5");
    expect(driver.texts).toEqual(["3", "4", "5"]);
    expect(driver.messages).toEqual([
      "warn: Removed 2 dead letters with 20 records, the oldest: there is room for 3 letters",
      "warn: Removed 1 dead letter with 10 records, the oldest: there is room for 3 letters",
    ]);
  });

  test("age counts when something is kept, and once an hour", async () => {
    const driver = inMemory();
    const store = await driver.open({ maxAgeMs: 7_200_000 });
    await store.keep(letter({ text: "a" }));
    driver.clock.advance(7_100_000);
    await store.keep(letter({ text: "b" }));
    expect(driver.texts).toEqual(["a", "b"]);
    driver.clock.advance(200_000);
    await store.keep(letter({ text: "c" }));
    expect(driver.texts).toEqual(["b", "c"]);
    for (let hour = 0; hour < 4; hour++) driver.clock.advance(3_600_000);
    expect(driver.texts).toEqual([]);
    expect(driver.removed).toEqual(Array(3).fill("10 dead_letter_age"));
    expect(driver.messages[0]).toBe(
      "warn: Removed 1 dead letter with 10 records, the oldest: storage.rejected.max_age is 7200 s",
    );
    store.close();
  });

  test("a clock that was set back does not cost the letter that is kept", async () => {
    const driver = inMemory();
    const store = await driver.open({ maxLetters: 2 });
    for (const text of ["a", "b", "c"]) {
      driver.clock.wallSec -= 3600;
      await store.keep(letter({ text }));
    }
    expect(driver.texts).toContain("c");
    expect(driver.ids).toHaveLength(2);
  });

  test("what others take away makes room, and is not counted", async () => {
    const driver = inMemory();
    const store = await driver.open({ maxLetters: 3 });
    for (const text of ["a", "b", "c"]) await driver.keep(store, text);
    const gone = driver.ids.slice(0, 2);
    for (const id of gone) driver.files.remove(`${driver.folder}/${id}.dead`);
    await driver.keep(store, "d");
    expect([driver.texts, driver.removed]).toEqual([["c", "d"], []]);
    driver.clock.advance(31_000);
    driver.files.remove(`${driver.folder}/${driver.ids[0]}.dead`);
    store.refresh();
    expect(store.held).toMatchObject({ size: 1, records: 10 });
    driver.clock.advance(31_000);
    for (const text of ["e", "f"]) await driver.keep(store, text);
    expect([driver.texts, driver.removed]).toEqual([["d", "e", "f"], []]);
  });

  test("a letter that cannot be removed is said, and the new one is kept", async () => {
    const driver = inMemory();
    const store = await driver.open({ maxLetters: 1 });
    await store.keep(letter({ text: "a" }));
    driver.files.fault = (operation) => operation === "remove" ? "EIO" : undefined;
    await store.keep(letter({ text: "b" }));
    expect([driver.texts, driver.removed]).toEqual([["a", "b"], []]);
    expect(driver.messages.join("\n")).toMatch(/^warn: Cannot remove .*-http.0.dead: EIO/);
  });
});

describe("a folder at a start", () => {
  test("foreign files and links are left alone with one warning, and what a crash left goes", async () => {
    using temp = new TempFolder();
    const driver = new StoreDriver(systemDiskFiles, temp.at("rejected"));
    await (await driver.open()).keep(letter({ text: "mine" }));
    const [id] = driver.ids;
    writeFileSync(`${driver.folder}/notes.txt`, "");
    symlinkSync("/etc/passwd", `${driver.folder}/${id!.replace("0000", "0007")}.dead`);
    symlinkSync("/etc/passwd", `${driver.folder}/${id!.replace("0000", "0008")}.tmp`);
    mkdirSync(`${driver.folder}/${id!.replace("0000", "0009")}.dead`);
    writeFileSync(`${driver.folder}/replay.lock`, "");
    writeFileSync(`${driver.folder}/${id}.tmp`, "half of a");
    const names = driver.names;
    const store = await driver.open({ maxLetters: 1 });
    expect(driver.names).toEqual(names.filter((name) => name !== `${id}.tmp`));
    expect(store.held.size).toBe(1);
    expect(driver.messages).toHaveLength(1);
    expect(driver.messages[0]).toMatch(
      /^warn: Left alone in .*rejected: 4 names that no dead letter has, such as /,
    );
  });

  test("a folder that cannot be one is refused with what to do", async () => {
    using temp = new TempFolder();
    writeFileSync(temp.at("file"), "");
    symlinkSync(temp.path, temp.at("link"));
    const refused = (name: string) => new StoreDriver(systemDiskFiles, temp.at(name)).open();
    await expect(refused("file")).rejects.toThrow(
      `Cannot keep dead letters in ${
        temp.at("file")
      }: it is a file, not a folder; name another with storage.rejected.path`,
    );
    await expect(refused("link")).rejects.toThrow("it is a link, not a folder");
    await expect(refused("file/sub")).rejects.toThrow(/ENOTDIR/);
    mkdirSync(temp.at("closed"));
    chmodSync(temp.at("closed"), 0o500);
    // Root may write anywhere.
    if (process.getuid?.() !== 0) await expect(refused("closed")).rejects.toThrow(/EACCES/);
  });
});
