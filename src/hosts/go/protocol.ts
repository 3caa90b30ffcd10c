// What the collector and a plugin's process say to each other over two pipes. A frame is its length (32 bits,
// little endian, without itself), one byte that says what it is, and a body. The collector asks, and asks
// again only when it has the answer; the process speaks first only to say hello.

/** What the collector asks for. Behind the kind stands the number of the instance, 32 bits. */
export const ASK = {
  /** Body: options as a JSON object of text. Answer: {@link ANSWER.code} of FLBPluginInit. */
  init: 1,
  /** Body: the tag's length (32 bits), the tag, a zero, and msgpack events. Answer: the plugin's code. */
  flush: 2,
  /** Answer: {@link ANSWER.data}, empty when there is nothing. */
  collect: 3,
  /** Answer: the plugin's code. */
  exit: 4,
} as const;

/** Added to what is asked when the body lies in the shared memory, and the frame has only its length (32 bits). */
export const SHARED = 0x80;
/** Size of the shared memory: a whole payload with its tag, and room to spare. What is larger takes the pipe. */
export const SHARED_BYTES = 512 * 1024;

export const ANSWER = {
  /** Body: {@link Hello} as JSON. */
  hello: 1,
  /** Body: why the plugin cannot be used, as text. The process ends. */
  refused: 2,
  /** Body: a code of Fluent Bit's, 32 bits, signed. */
  code: 3,
  /** Body: msgpack events. */
  data: 4,
} as const;

/** What a plugin registered as. */
export interface Hello {
  readonly kind: "input" | "output";
  readonly name: string;
  readonly description: string;
}

/** Codes that a plugin returns. */
export const CODE = { error: 0, ok: 1, retry: 2 } as const;

/** Length and kind of a frame, and the instance behind it in what is asked. */
export const HEAD_BYTES = 5;
export const ASK_HEAD_BYTES = 9;

/** Neither side takes a larger frame: a length beyond it is a sign of confusion. */
export const MAX_FRAME_BYTES = 512 * 1024 * 1024;

/** A line of the log that a plugin wrote through the host begins with this and the level as a digit. */
export const LEVEL_MARK = "\x1f";
