/** Log files for measurements: the same bytes for the same seed, on every machine. */

/** A small seeded generator (mulberry32): numbers in [0, 1). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const LEVELS = ["info", "info", "info", "info", "warn", "error", "debug"];
const METHODS = ["GET", "GET", "GET", "POST", "PUT", "DELETE"];
const STATUSES = [200, 200, 200, 201, 204, 301, 400, 404, 500];
const AGENTS = [
  "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0 Safari/537.36",
  "curl/8.5.0",
  "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15",
];
const START_MS = Date.UTC(2026, 0, 5, 8, 0, 0);

export type LineKind = "json" | "apache" | "cri";

/** A function that makes line number `i` of a kind. */
export function lineMaker(kind: LineKind, seed: number): (i: number) => string {
  const random = seededRandom(seed);
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)]!;
  const time = (i: number) => new Date(START_MS + i);
  const id = () => Math.floor(random() * 2 ** 32).toString(16).padStart(8, "0");
  const path = () =>
    `/api/v1/${pick(["items", "orders", "users", "carts"])}/${Math.floor(random() * 1e6)}`;
  const json = (i: number) =>
    JSON.stringify({
      time: time(i).toISOString(),
      level: pick(LEVELS),
      msg: `request ${i} handled by worker ${Math.floor(random() * 32)}`,
      service: pick(["checkout", "catalog", "payments"]),
      host: `node-${Math.floor(random() * 12)}`,
      request_id: `${id()}-${id()}`,
      method: pick(METHODS),
      path: path(),
      status: pick(STATUSES),
      duration_ms: Math.round(random() * 1e5) / 100,
      user: { id: Math.floor(random() * 1e5), plan: pick(["free", "pro"]) },
    });
  if (kind === "json") return json;
  if (kind === "cri") return (i) => criLine(time(i), i, random, json);
  return (i) => {
    const ip = Array.from({ length: 4 }, () => Math.floor(random() * 256)).join(".");
    return `${ip} - - [${apacheTime(time(i))}] "${pick(METHODS)} ${path()} HTTP/1.1" ${
      pick(STATUSES)
    } ${Math.floor(random() * 1e5)} "https://example.com/start" "${pick(AGENTS)}"`;
  };
}

/** One line in ten is the first part of a message that the next line ends. */
function criLine(time: Date, i: number, random: () => number, json: (i: number) => string): string {
  const stamp = `${time.toISOString().slice(0, -1)}000000Z`;
  const stream = i % 20 < 10 ? "stdout" : "stderr";
  const flag = i % 10 === 3 ? "P" : "F";
  const text = random() < 0.5
    ? json(i).slice(0, 120)
    : `worker ${i % 32}: processed batch ${i} in ${i % 977} ms`;
  return `${stamp} ${stream} ${flag} ${text}`;
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

function apacheTime(time: Date): string {
  const two = (n: number) => String(n).padStart(2, "0");
  return `${two(time.getUTCDate())}/${MONTHS[time.getUTCMonth()]}/${time.getUTCFullYear()}:${
    two(time.getUTCHours())
  }:${two(time.getUTCMinutes())}:${two(time.getUTCSeconds())} +0000`;
}

/** Writes `lines` lines of a kind to a file. Returns its size in bytes. */
export async function generateFile(
  path: string,
  kind: LineKind,
  lines: number,
  seed = 42,
): Promise<number> {
  const make = lineMaker(kind, seed);
  const writer = Bun.file(path).writer({ highWaterMark: 1 << 20 });
  let bytes = 0;
  for (let i = 0; i < lines;) {
    let text = "";
    for (const end = Math.min(lines, i + 1000); i < end; i++) text += make(i) + "\n";
    bytes += await writer.write(text);
    await writer.flush();
  }
  await writer.end();
  return bytes;
}
