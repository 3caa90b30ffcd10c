/**
 * Counts the records that clients send in the Forward protocol, in its form of arrays. It knows as much of msgpack as
 * that takes, and cuts corners: the measured machine has to run it too.
 */
export class ForwardSink {
  received = 0;
  readonly port: number;
  private readonly listener: Bun.TCPSocketListener<Stream>;

  constructor() {
    this.listener = Bun.listen<Stream>({
      hostname: "127.0.0.1",
      port: 0,
      socket: {
        open: (socket) => void (socket.data = new Stream((records) => (this.received += records))),
        data: (socket, part) => socket.data.feed(part),
      },
    });
    this.port = this.listener.port;
  }

  /** What a client has sent may still be on its way when the client has ended. */
  async until(records: number): Promise<number> {
    const endMs = performance.now() + 5000;
    while (this.received < records && performance.now() < endMs) await Bun.sleep(10);
    return this.received;
  }

  stop(): void {
    this.listener.stop(true);
  }
}

/** One connection: values that lie inside one another, of which only the number that is still due is kept. */
class Stream {
  private rest = Buffer.alloc(0);
  /** Bytes of text still to come. */
  private skip = 0;
  /** Values that are due at each depth, the innermost last. */
  private readonly due: number[] = [];
  private readonly onRecords: (count: number) => void;

  constructor(onRecords: (count: number) => void) {
    this.onRecords = onRecords;
  }

  feed(part: Buffer): void {
    const bytes = this.rest.length > 0 ? Buffer.concat([this.rest, part]) : part;
    let at = Math.min(this.skip, bytes.length);
    this.skip -= at;
    while (this.skip === 0 && bytes.length - at >= 5) at = this.value(bytes, at);
    // A head may be cut, and the last value of a message may be shorter than the longest head.
    while (this.skip === 0 && at < bytes.length && HEAD_BYTES[bytes[at]!]! <= bytes.length - at) {
      at = this.value(bytes, at);
    }
    this.rest = Buffer.from(bytes.subarray(at));
  }

  private value(bytes: Buffer, at: number): number {
    const head = bytes[at]!;
    const headBytes = HEAD_BYTES[head]!;
    let length = SMALL[head]!;
    if (headBytes > 1 && length < 0) length = bytes.readUIntBE(at + 1, headBytes - 1);
    const items = ITEMS[head]!;
    this.close();
    if (items > 0 && length > 0) {
      // The second value of a message is the list of its records.
      if (this.due.length === 1 && items === 1) this.onRecords(length);
      this.due.push(length * items);
      return at + headBytes;
    }
    const end = at + headBytes + (items > 0 ? 0 : length);
    this.skip = Math.max(0, end - bytes.length);
    return Math.min(end, bytes.length);
  }

  /** One value less is due. */
  private close(): void {
    while (this.due.at(-1) === 0) this.due.pop();
    if (this.due.length > 0) this.due[this.due.length - 1]!--;
  }
}

/** By first byte: bytes up to the contents; length or number of items, -1 when it follows; values for each item. */
const HEAD_BYTES = new Uint8Array(256).fill(1);
const SMALL = new Int32Array(256);
const ITEMS = new Uint8Array(256);
const sized = (from: number, sizes: readonly number[], items = 0) =>
  sizes.forEach((size, i) => {
    HEAD_BYTES[from + i] = 1 + size;
    SMALL[from + i] = -1;
    ITEMS[from + i] = items;
  });
for (let i = 0; i < 16; i++) {
  [SMALL[0x80 + i], ITEMS[0x80 + i]] = [i, 2];
  [SMALL[0x90 + i], ITEMS[0x90 + i]] = [i, 1];
}
for (let i = 0; i < 32; i++) SMALL[0xa0 + i] = i;
sized(0xc4, [1, 2, 4]);
sized(0xd9, [1, 2, 4]);
sized(0xdc, [2, 4], 1);
sized(0xde, [2, 4], 2);
[4, 8, 1, 2, 4, 8, 1, 2, 4, 8].forEach((bytes, i) => (SMALL[0xca + i] = bytes));
[2, 3, 5, 9, 17].forEach((bytes, i) => (SMALL[0xd4 + i] = bytes));
