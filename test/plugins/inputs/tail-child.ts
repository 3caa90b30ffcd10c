import { readdirSync, readlinkSync } from "node:fs";
import { eventually } from "../../support/eventually.ts";

/** What a child is asked to do besides reading. */
export interface ChildOptions {
  /** The most descriptors that it may have. */
  readonly limit?: number;
  /** The user that it runs as. The tests themselves must run as root for that. */
  readonly user?: string;
  /** The most folders that it may watch. */
  readonly watches?: number;
  readonly prepare?: () => void;
  /** What to do once it has read so many lines, or has said something; it is stopped after the last. */
  readonly steps?: readonly (readonly [number | RegExp, () => void])[];
}

export interface ChildResult {
  readonly values: string[];
  readonly messages: string[];
  /** The most descriptors that it had at once, of those counted now and then. */
  readonly maxOpen: number;
}

/** Tail in a process of its own, where limits and users differ from ours. */
export async function runTailChild(
  options: Record<string, unknown>,
  { limit, user, watches, prepare, steps = [] }: ChildOptions,
): Promise<ChildResult> {
  prepare?.();
  const script = [
    `ulimit -n ${limit ?? 1024}`,
    ...(watches === undefined ? [] : [`echo ${watches} > /proc/sys/user/max_inotify_watches`]),
    'exec "$0" "$1" "$2"',
  ].join(" && ");
  const command = ["/bin/bash", "-c", script, process.execPath, CHILD, JSON.stringify(options)];
  const child = Bun.spawn([
    ...asUser(user),
    ...(watches === undefined ? [] : NAMESPACE),
    ...command,
  ], {
    stdout: "pipe",
    stderr: "inherit",
    cwd: new URL("../../..", import.meta.url).pathname,
  });
  const result = { values: [] as string[], messages: [] as string[], maxOpen: 0 };
  let text = "";
  const reading = (async () => {
    const decoder = new TextDecoder();
    for await (const chunk of child.stdout) {
      const lines = (text + decoder.decode(chunk, { stream: true })).split("\n");
      text = lines.pop()!;
      for (const line of lines) {
        const { value, message, open } = JSON.parse(line);
        if (value !== undefined) result.values.push(value);
        if (message !== undefined) result.messages.push(message);
        result.maxOpen = Math.max(result.maxOpen, open ?? 0);
      }
    }
  })();
  try {
    for (const [until, act] of steps) {
      const reached = () =>
        typeof until === "number"
          ? result.values.length >= until
          : result.messages.some((message) => until.test(message));
      await eventually(reached, () => `${until}: ${JSON.stringify(result).slice(-2000)}`);
      act();
    }
    if (steps.length === 0) await child.exited;
  } finally {
    child.kill();
    await child.exited;
  }
  await reading;
  return result;
}

/** Who is not root already may not become somebody else, and need not. */
function asUser(user: string | undefined): string[] {
  if (user === undefined || process.getuid!() !== 0) return [];
  return ["setpriv", `--reuid=${user}`, "--clear-groups", "--"];
}

/** A user namespace: it has limits of its own. */
const NAMESPACE = ["unshare", "--user", "--map-root-user"];

/** Why the number of watches cannot be limited here, if it cannot. */
export function noLimitOfWatches(): string | undefined {
  try {
    const { exitCode, stderr } = Bun.spawnSync([...NAMESPACE, "true"]);
    return exitCode === 0 ? undefined : stderr.toString().trim();
  } catch (error) {
    return (error as Error).message;
  }
}

/** How many of this process's descriptors are of that file. */
export function openDescriptors(path: string, pid = "self"): number {
  return readdirSync(`/proc/${pid}/fd`).filter((fd) => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${fd}`) === path;
    } catch {
      return false;
    }
  }).length;
}

const CHILD = new URL("./tail-child-main.ts", import.meta.url).pathname;
