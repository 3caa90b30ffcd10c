import { type FieldValue, MsgpackReader } from "logcollector/plugin";

/** The longest that a message from the server may be: those of the protocol have a few hundred bytes. */
const MAX_MESSAGE_BYTES = 8 * 1024;

/** Takes what a server sends apart into messages. Whatever it sends, little of it is kept. */
export class PeerMessages {
  private readonly onMessage: (message: FieldValue) => void;
  private waiting: Buffer = Buffer.alloc(0);

  constructor(onMessage: (message: FieldValue) => void) {
    this.onMessage = onMessage;
  }

  /** Throws when that is no msgpack, or a message that is too long: what follows cannot be understood then. */
  feed(part: Buffer): void {
    let rest = this.waiting.length === 0 ? part : Buffer.concat([this.waiting, part]);
    while (rest.length > 0) {
      const read = this.read(rest.subarray(0, MAX_MESSAGE_BYTES));
      if (read === 0) break;
      rest = rest.subarray(read);
    }
    if (rest.length >= MAX_MESSAGE_BYTES) {
      throw new Error(`the server sends a message of more than ${MAX_MESSAGE_BYTES} bytes`);
    }
    this.waiting = Buffer.from(rest);
  }

  /** Returns the length of the message in front, or 0 when it is not whole yet. */
  private read(bytes: Buffer): number {
    // Salts are sent as text, whatever bytes they are.
    const reader = new MsgpackReader(bytes, "bytes");
    let message: FieldValue;
    try {
      message = reader.value();
    } catch (error) {
      if (error instanceof RangeError) return 0;
      throw new Error(`the server does not speak the protocol: ${(error as Error).message}`, {
        cause: error,
      });
    }
    this.onMessage(message);
    return reader.offset;
  }
}

/** Text of a message, which its reader left as bytes; `undefined` for anything else. */
export function textOf(value: FieldValue | undefined): string | undefined {
  return value instanceof Uint8Array ? Buffer.from(value).toString() : undefined;
}
