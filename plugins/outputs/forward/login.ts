import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { escapeControls, type FieldValue, isBody, MsgpackWriter } from "logcollector/plugin";
import type { Credentials } from "./config.ts";
import { textOf } from "./peer-messages.ts";

/** What a server says of itself first. */
export interface Helo {
  readonly nonce: Uint8Array;
  /** Salt for the password; empty when the server wants none. */
  readonly auth: Uint8Array;
  readonly keepsAlive: boolean;
}

/** What is sent in answer, and what the server's own answer must be like. */
export interface Ping {
  readonly bytes: Uint8Array;
  /** Throws when the server refuses the login, or does not prove that it knows the key. */
  check(pong: FieldValue): void;
}

const NONE = new Uint8Array();
/** Text of a server in an error message. */
const MAX_REASON_LENGTH = 200;

/** The first message of a server that demands a login; `undefined` for any other message. */
export function readHelo(message: FieldValue): Helo | undefined {
  if (!Array.isArray(message) || textOf(message[0]) !== "HELO") return undefined;
  const options = message[1];
  const { nonce, auth, keepalive } = isBody(options) ? options : {};
  return {
    nonce: nonce instanceof Uint8Array ? nonce : NONE,
    auth: auth instanceof Uint8Array ? auth : NONE,
    keepsAlive: keepalive !== false,
  };
}

/** The login: proof of the key and, where the server knows users, of the password. Neither is sent. */
export function makePing(helo: Helo, credentials: Credentials): Ping {
  const { sharedKey, username, password, selfHostname } = credentials;
  if (helo.nonce.length === 0) throw new Error("the server's HELO has no nonce");
  // Fluent Bit sends a salt for the password also when it knows no users.
  const mayKnowUsers = helo.auth.length > 0;
  const hint = mayKnowUsers && username === "" ? " (no username is set)" : "";
  // 16 characters of ASCII: some servers take the salt for text, and some for 16 bytes.
  const salt = randomBytes(12).toString("base64");
  const proof = (hostname: string | Uint8Array) => sha512(salt, hostname, helo.nonce, sharedKey);

  const writer = new MsgpackWriter();
  writer.arrayHead(6);
  writer.text("PING");
  writer.text(selfHostname);
  writer.text(salt);
  writer.text(proof(selfHostname));
  writer.text(mayKnowUsers ? username : "");
  writer.text(mayKnowUsers ? sha512(helo.auth, username, password) : "");
  return {
    bytes: Buffer.from(writer.written),
    check(pong) {
      const [isTaken, reason, hostname, digest] = pongParts(pong);
      if (!isTaken) throw new Error(`the server refuses the login${hint}: ${shown(reason)}`);
      if (!(hostname instanceof Uint8Array) || !(digest instanceof Uint8Array)) {
        throw new Error("the server's PONG lacks its name or its proof");
      }
      // Who does not know the key could send this client's own proof back under its own name.
      if (Buffer.compare(hostname, Buffer.from(selfHostname)) === 0) {
        throw new Error(
          "the server has this client's name, so that its proof is worth nothing: set another self_hostname",
        );
      }
      if (!isSame(digest, Buffer.from(proof(hostname)))) {
        throw new Error("the server does not prove that it knows the shared_key");
      }
    },
  };
}

function pongParts(message: FieldValue): FieldValue[] {
  if (!Array.isArray(message) || textOf(message[0]) !== "PONG" || typeof message[1] !== "boolean") {
    throw new Error("the server answers the login with something else than a PONG");
  }
  return message.slice(1);
}

function shown(reason: FieldValue | undefined): string {
  const text = textOf(reason) ?? "";
  return text === ""
    ? "it does not say why"
    : escapeControls(text.slice(0, MAX_REASON_LENGTH).replace(/\s+/g, " "));
}

function sha512(...parts: readonly (string | Uint8Array)[]): string {
  const hash = createHash("sha512");
  for (const part of parts) hash.update(part);
  return hash.digest("hex");
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}
