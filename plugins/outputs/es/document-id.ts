import { type Body, encodeMsgpackMap, type Logger } from "logcollector/plugin";
import type { BulkConfig } from "./config.ts";
import { murmur3 } from "./murmur3.ts";

/** The servers refuse a whole request for one id that is longer, in bytes. */
const MAX_ID_BYTES = 512;
const SEED = 42;

/** The id of a document; `undefined` leaves it to the server. */
export type DocumentId = (body: Body, document: () => Body) => string | undefined;

/** How ids are made, or `undefined` when the server makes them all. */
export function documentId(config: BulkConfig, log: Logger): DocumentId | undefined {
  const { id_key: key } = config;
  if (key === undefined) {
    return config.generate_id ? (_body, document) => hashId(document()) : undefined;
  }
  return (body) => {
    const id = key.get(body);
    const isId = typeof id === "string" && id !== "" && Buffer.byteLength(id) <= MAX_ID_BYTES;
    if (isId) return id;
    log.warn(`Cannot take a document's id from ${key.source}: ${whyNot(id)}`);
    return undefined;
  };
}

function whyNot(id: unknown): string {
  if (id === undefined) return "a record has no such field";
  if (typeof id !== "string") return "it is not a text";
  return id === "" ? "it is empty" : `it is longer than ${MAX_ID_BYTES} bytes`;
}

/** As Fluent Bit's es output makes it: the hash of the document in msgpack, as eight numbers of 16 bits. */
export function hashId(document: Body): string {
  const hash = murmur3(encodeMsgpackMap(document), SEED);
  const hex = (at: number) => hash.readUInt16LE(at * 2).toString(16).padStart(4, "0");
  const [a, b, c, d, e, f, g, h] = [0, 1, 2, 3, 4, 5, 6, 7].map(hex);
  return `${a}${b}-${c}-${d}-${e}-${f}${g}${h}`;
}
