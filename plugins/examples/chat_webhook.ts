import {
  type Batch,
  ConfigError,
  defineOutput,
  field,
  type LogRecord,
  PermanentError,
  stringifyJson,
  ThrottledError,
} from "logcollector/plugin";
import * as z from "zod";

/** Chats refuse long messages; what does not fit goes into the next one. */
const MAX_MESSAGE = 3500;
const DEFAULT_PAUSE_MS = 5000;

export default defineOutput({
  name: "chat_webhook",
  summary: "Posts records to a chat's webhook, many in one message.",
  config: z.object({
    url: field.text().describe("Address of the webhook (a secret)"),
    key: field.text().default("log").describe(
      "Field that is shown; the whole record when it is absent",
    ),
    title: field.text().default("").describe("First line of every message"),
    timeout: field.duration().default(10_000).describe("Limit of one request"),
  }),
  create({ url, key, title, timeout }) {
    if (!/^https?:\/\//.test(url) || !URL.canParse(url)) {
      // The address is a secret: it must not appear in a message.
      throw new ConfigError("expected an address that begins with https://", "url");
    }
    return {
      async write(batch, signal) {
        for (const text of messages(batch, key, title)) {
          await post(url, text, AbortSignal.any([signal, AbortSignal.timeout(timeout)]));
        }
      },
    };
  },
});

/** The records as lines, gathered into as few messages as they fit in. */
function messages(batch: Batch, key: string, title: string): string[] {
  const head = title === "" ? "" : `*${title}*\n`;
  const all: string[] = [];
  let text = head;
  for (const record of batch.records) {
    const line = `${lineOf(record, key).slice(0, MAX_MESSAGE - head.length - 1)}\n`;
    if (text.length + line.length > MAX_MESSAGE && text !== head) {
      all.push(text);
      text = head;
    }
    text += line;
  }
  if (text !== head) all.push(text);
  return all;
}

function lineOf({ body }: LogRecord, key: string): string {
  const value = body[key];
  return typeof value === "string" ? value : stringifyJson(value ?? body);
}

async function post(url: string, text: string, signal: AbortSignal): Promise<void> {
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ text }),
    signal,
    redirect: "error",
  });
  await response.body?.cancel();
  if (response.ok) return;
  const message = `the chat answers ${response.status}`;
  if (response.status === 429) {
    const seconds = Number(response.headers.get("retry-after"));
    throw new ThrottledError(message, seconds > 0 ? seconds * 1000 : DEFAULT_PAUSE_MS);
  }
  // A wrong address or a message that it does not want: no later attempt would change that.
  if (response.status >= 400 && response.status < 500) throw new PermanentError(message);
  throw new Error(message);
}
