import {
  type Accessor,
  type EncodedOutput,
  type FieldValue,
  type HttpHeaders,
  isBody,
  isHeaderName,
  type Logger,
  PartialError,
  type Payload,
  PermanentError,
  type RefusedPart,
} from "logcollector/plugin";

type Send = (
  body: Uint8Array,
  headers: HttpHeaders,
  tag: string,
  signal: AbortSignal,
) => Promise<void>;

const LENGTHS_BYTES = 8;

/**
 * One request for each record, with a field as its body and another as its headers. In a payload a record
 * is the length of both, the headers as JSON, and the body.
 */
export function requestPerRecord(
  keys: { readonly body: Accessor; readonly headers: Accessor },
  log: Logger,
  send: Send,
): Pick<EncodedOutput, "encode" | "send"> {
  return {
    encode(batch, into) {
      into.partition(batch.tag);
      let dropped = 0;
      for (const record of batch.records) {
        const body = bytesOf(keys.body.get(record.body));
        const headers = headersOf(keys.headers.get(record.body));
        if (body !== undefined && headers !== undefined) into.bytes(frame(headers, body), 1);
        else dropped++;
      }
      if (dropped === 0) return;
      log.warn(`Dropped records without ${keys.body.source} or ${keys.headers.source}`);
      into.drop(dropped, "missing_field");
    },
    send: (payload, signal) => sendAll(payload, send, signal),
  };
}

async function sendAll(payload: Payload, send: Send, signal: AbortSignal): Promise<void> {
  const { bytes, partition } = payload;
  let left = payload.records;
  let refusal: PermanentError | undefined;
  let refused = 0;
  const refusedParts: RefusedPart[] = [];
  for (let at = 0; at < bytes.length;) {
    const { headers, body, end } = unframe(bytes, at);
    try {
      await send(body, headers, partition, signal);
    } catch (error) {
      if (!(error instanceof PermanentError)) {
        // Nothing is done with yet: the error may say how long to wait.
        if (at === 0) throw error;
        const cause = error as Error;
        // Not slice(), which of a Buffer is a view: the engine takes the payload's memory back.
        const remaining = new Uint8Array(bytes.subarray(at));
        throw new PartialError(cause.message, remaining, left, refused, { cause, refusedParts });
      }
      refusal = error;
      refused++;
      refusedParts.push({ bytes: new Uint8Array(bytes.subarray(at, end)), records: 1 });
    }
    left--;
    at = end;
  }
  if (refusal === undefined) return;
  if (refused === payload.records) throw refusal;
  throw new PartialError(refusal.message, new Uint8Array(), 0, refused, {
    cause: refusal,
    refusedParts,
  });
}

function frame(headers: HttpHeaders, body: Uint8Array): Uint8Array {
  const names = Buffer.from(JSON.stringify(headers));
  const lengths = Buffer.allocUnsafe(LENGTHS_BYTES);
  lengths.writeUInt32LE(names.length, 0);
  lengths.writeUInt32LE(body.length, 4);
  return Buffer.concat([lengths, names, body]);
}

function unframe(bytes: Uint8Array, at: number) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const names = at + LENGTHS_BYTES;
  const body = names + view.getUint32(at, true);
  const end = body + view.getUint32(at + 4, true);
  const headers = JSON.parse(Buffer.from(bytes.subarray(names, body)).toString()) as HttpHeaders;
  return { headers, body: bytes.subarray(body, end), end };
}

function bytesOf(value: FieldValue | undefined): Uint8Array | undefined {
  if (typeof value === "string") return Buffer.from(value);
  return value instanceof Uint8Array ? value : undefined;
}

/** The texts of a map. What cannot be a header, or would speak for the connection, is left out. */
function headersOf(value: FieldValue | undefined): HttpHeaders | undefined {
  if (value === undefined || !isBody(value)) return undefined;
  const headers: [string, string][] = [];
  for (const name in value) {
    const text = value[name];
    const isAllowed = isHeaderName(name) && !/^(host|authorization)$/i.test(name);
    if (typeof text === "string" && isAllowed) headers.push([name, text]);
  }
  return headers;
}
