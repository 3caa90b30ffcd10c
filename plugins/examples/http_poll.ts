import {
  Batch,
  ConfigError,
  defineInput,
  field,
  type InputContext,
  type LogRecord,
} from "logcollector/plugin";
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import * as z from "zod";

const config = z.object({
  url: field.text().describe("Address of the list, such as https://api.example.com/v1/audit"),
  token: field.text().optional().describe("Sent as `Authorization: Bearer …`"),
  interval: field.duration().default(10_000).describe("Pause after the last page"),
  timeout: field.duration().default(30_000).describe("Limit of one request"),
  state_file: field.text().optional().describe("Where the cursor is kept over a restart"),
});
type Options = z.output<typeof config>;

/** One page of the list: what this API answers. Another one needs another schema here. */
const page = z.object({
  items: z.array(z.record(z.string(), z.json())),
  /** Where to go on; the same again when there is nothing new. */
  cursor: z.string(),
  has_more: z.boolean(),
});

/** An answer larger than this is a mistake somewhere. */
const MAX_BYTES = 16 * 1024 * 1024;
const MAX_PAUSE_MS = 60_000;

export default defineInput({
  name: "http_poll",
  summary: "Polls an HTTP API page by page, and remembers how far it came.",
  config,
  create(options, ctx) {
    if (!URL.canParse(options.url)) {
      throw new ConfigError(`expected an address, got ${JSON.stringify(options.url)}`, "url");
    }
    let cursor = loadCursor(options.state_file);
    return {
      async run(signal) {
        for (let failures = 0; !signal.aborted;) {
          try {
            const { items, has_more, ...next } = await fetchPage(options, cursor, signal);
            failures = 0;
            // The cursor moves with the page, but is kept only once the page is safe at every destination.
            cursor = next.cursor;
            if (items.length > 0) {
              await ctx.emit(
                batchOf(items, ctx),
                () => saveCursor(options.state_file, next.cursor),
              );
            }
            if (!has_more) await ctx.clock.sleep(options.interval, signal);
          } catch (error) {
            if (signal.aborted) return;
            const pauseMs = Math.min(MAX_PAUSE_MS, 1000 * 2 ** failures++);
            ctx.log.warn(`${(error as Error).message}; trying again in ${pauseMs / 1000} s`);
            await ctx.clock.sleep(pauseMs, signal);
          }
        }
      },
    };
  },
});

async function fetchPage(
  { url, token, timeout }: Options,
  cursor: string | undefined,
  signal: AbortSignal,
): Promise<z.output<typeof page>> {
  const address = new URL(url);
  if (cursor !== undefined) address.searchParams.set("cursor", cursor);
  const response = await fetch(address, {
    signal: AbortSignal.any([signal, AbortSignal.timeout(timeout)]),
    ...(token !== undefined && { headers: { authorization: `Bearer ${token}` } }),
  });
  if (!response.ok) {
    await response.body?.cancel();
    throw new Error(`Cannot poll ${url}: it answers ${response.status}`);
  }
  if (Number(response.headers.get("content-length") ?? 0) > MAX_BYTES) {
    await response.body?.cancel();
    throw new Error(`Cannot poll ${url}: a page is larger than ${MAX_BYTES} bytes`);
  }
  const result = page.safeParse(await response.json());
  if (result.success) return result.data;
  const { path, message } = result.error.issues[0]!;
  throw new Error(
    `Cannot poll ${url}: its answer is not understood: ${path.join(".")}: ${message}`,
  );
}

function batchOf(items: z.output<typeof page>["items"], { tag, clock }: InputContext): Batch {
  const now = clock.wall();
  const records = items.map((body): LogRecord => {
    const time = typeof body["time"] === "string" ? Date.parse(body["time"]) : NaN;
    if (Number.isNaN(time)) return { ...now, body: body as LogRecord["body"] };
    const sec = Math.floor(time / 1000);
    return { sec, nsec: (time - sec * 1000) * 1e6, body: body as LogRecord["body"] };
  });
  return Batch.of(tag, records);
}

function loadCursor(file: string | undefined): string | undefined {
  if (file === undefined) return undefined;
  try {
    return readFileSync(file, "utf8").trim() || undefined;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new ConfigError(`cannot be read: ${(error as Error).message}`, "state_file");
  }
}

/** Under another name first: a crash leaves the old cursor or the new one, never half of it. */
function saveCursor(file: string | undefined, cursor: string): void {
  if (file === undefined) return;
  writeFileSync(`${file}.new`, cursor);
  renameSync(`${file}.new`, file);
}
