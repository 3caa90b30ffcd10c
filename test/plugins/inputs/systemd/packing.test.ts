import { describe, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { decompressLz4Block } from "../../../../plugins/inputs/systemd/journal/lz4-block.ts";
import { decompressXz } from "../../../../plugins/inputs/systemd/journal/xz/xz.ts";
import { zstdContentSize } from "../../../../plugins/inputs/systemd/journal/zstd-frame.ts";
import { Random } from "../../../support/random.ts";

const SEED = Number(process.env.SEED ?? 20261125);
const has = (command: string) => Bun.which(command) !== null;
for (const command of ["xz", "lz4"]) {
  if (!has(command)) console.log(`skipped: ${command} not found, see scripts/install-journald.sh`);
}

function run(command: string, args: readonly string[], input: Buffer): Buffer {
  const { stdout, stderr, status } = spawnSync(command, args, { input, maxBuffer: 1 << 28 });
  if (status !== 0) throw new Error(`${command}: ${stderr}`);
  return stdout;
}

/** Text with much that repeats, noise, and both. */
function samples(): readonly [string, Buffer][] {
  const random = new Random(SEED);
  const noise = (length: number) => Buffer.from(Array.from({ length }, () => random.below(256)));
  const words = Array.from({ length: 50 }, () => noise(1 + random.below(12)).toString("hex"));
  const text = Buffer.from(Array.from({ length: 20_000 }, () => random.pick(words)).join(" "));
  return [
    ["one byte", Buffer.from("a")],
    ["zeros", Buffer.alloc(300_000)],
    ["text", text],
    ["noise", noise(70_000)],
    ["text and noise", Buffer.concat([text.subarray(0, 9000), noise(9000), text])],
  ];
}

/** What a flipped or missing byte leads to: an error, or other bytes, but an end. */
function endsWhateverComes(packed: Buffer, unpack: (bytes: Buffer) => Buffer): void {
  const random = new Random(SEED);
  for (let i = 0; i < 300; i++) {
    const damaged = Buffer.from(packed.subarray(0, 1 + random.below(packed.length)));
    damaged[random.below(damaged.length)] = random.below(256);
    try {
      unpack(damaged);
    } catch (error) {
      expect(["SyntaxError", "RangeError"]).toContain((error as Error).name);
    }
  }
}

describe.skipIf(!has("xz"))(`decompressXz (SEED=${SEED})`, () => {
  const FORMS = [
    ["-0", "-C", "none"],
    ["-9e", "-C", "sha256"],
    ["-6", "--block-size=10000"],
    ["--lzma2=preset=6,lc=0,lp=2,pb=0"],
    ["--lzma2=preset=1,lc=4,lp=0,pb=4"],
  ];
  for (const [name, bytes] of samples()) {
    for (const form of FORMS) {
      test(`gives back ${name} of xz ${form.join(" ")}`, () => {
        const packed = run("xz", ["-c", "-z", ...form], bytes);
        expect(decompressXz(packed, bytes.length).equals(bytes)).toBe(true);
      });
    }
  }

  test("refuses what would become too large before it does", () => {
    const packed = run("xz", ["-c", "-z"], Buffer.alloc(1_000_000));
    expect(() => decompressXz(packed, 999_999)).toThrow(RangeError);
  });

  test("ends, whatever the bytes are", () => {
    const packed = run("xz", ["-c", "-z", "-0"], samples()[2]![1].subarray(0, 20_000));
    endsWhateverComes(packed, (bytes) => decompressXz(bytes, 1 << 20));
  });
});

describe.skipIf(!has("lz4"))(`decompressLz4Block (SEED=${SEED})`, () => {
  const block = (bytes: Buffer) => {
    const frame = run("lz4", ["-c", "-z", "-l"], bytes);
    return frame.subarray(8, 8 + frame.readUInt32LE(4));
  };
  for (const [name, bytes] of samples()) {
    test(`gives back ${name}`, () => {
      expect(decompressLz4Block(block(bytes), bytes.length).equals(bytes)).toBe(true);
    });
  }

  test("refuses what does not come to the size that it should have", () => {
    const bytes = samples()[2]![1];
    const packed = block(bytes);
    expect(() => decompressLz4Block(packed, bytes.length + 1)).toThrow("ends too early");
    expect(() => decompressLz4Block(packed, bytes.length - 1)).toThrow("longer than it says");
  });

  test("ends, whatever the bytes are", () => {
    const bytes = samples()[2]![1].subarray(0, 20_000);
    endsWhateverComes(Buffer.from(block(bytes)), (damaged) => decompressLz4Block(damaged, 20_000));
  });
});

test("zstdContentSize is what comes out", () => {
  for (const size of [0, 1, 200, 255, 256, 300, 65_791, 65_792, 100_000]) {
    expect(zstdContentSize(Buffer.from(Bun.zstdCompressSync(Buffer.alloc(size, "ab"))))).toBe(size);
  }
  expect(zstdContentSize(Buffer.from("no frame at all"))).toBe(undefined);
});
