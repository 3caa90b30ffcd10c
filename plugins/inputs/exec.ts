import { spawn } from "node:child_process";
import { constants } from "node:os";
import { Batch, defineInput, field, LineSplitter, type LogRecord } from "logcollector/plugin";
import * as z from "zod";

const config = z.object({
  command: field.text().describe("Command line, run by /bin/sh"),
  parser: field.text().optional().describe("Parser that makes fields of each line of its output"),
  interval_sec: field.int({ min: 0 }).default(1).describe("Seconds from one run to the next"),
  interval_nsec: field.int({ min: 0 }).default(0).describe(
    "Nanoseconds from one run to the next, added to interval_sec",
  ),
  buf_size: field.size({ min: 2 }).default(4096).describe(
    "Longest line; a longer one comes in pieces",
  ),
  oneshot: field.bool().default(false).describe("Runs the command once, at the start"),
  exit_after_oneshot: field.bool().default(false).describe(
    "Stops the collector when the command has ended",
  ),
  propagate_exit_code: field.bool().default(false).describe(
    "Makes the command's exit status the collector's",
  ),
});

/** How long a command may take to end after SIGTERM, in milliseconds. */
const KILL_AFTER_MS = 2000;

export default defineInput({
  name: "exec",
  summary: "Runs a command and takes the lines that it prints",
  config,
  create(options, ctx) {
    const parser = options.parser === undefined ? undefined : ctx.parser(options.parser);
    const once = options.oneshot || options.exit_after_oneshot;
    const unparsed = ctx.metrics.counter(
      "input_unparsed_lines_total",
      "Number of lines that the parser did not take",
    );
    if (options.exit_after_oneshot) ctx.stopWhenDone();

    const toRecords = (lines: readonly string[]): LogRecord[] => {
      const { sec, nsec } = ctx.clock.wall();
      if (parser === undefined) return lines.map((line) => ({ sec, nsec, body: { exec: line } }));
      return lines.flatMap((line) => {
        const record = parser.parse(line, sec, nsec);
        if (record !== null) return [record];
        unparsed.value++;
        ctx.log.error(`Parser ${parser.name} does not take a line of the command's output`);
        return [];
      });
    };

    const runOnce = async (signal: AbortSignal): Promise<number> => {
      const splitter = new LineSplitter(options.buf_size - 1);
      const emit = (lines: readonly string[], bytes: number) => {
        const records = toRecords(lines);
        return records.length > 0 ? ctx.emit(Batch.of(ctx.tag, records, { bytes })) : undefined;
      };
      const status = await runCommand(
        options.command,
        signal,
        (chunk) => emit(splitter.push(chunk), chunk.length),
        (error) => ctx.log.error(`Cannot run the command: ${error.message}`),
      );
      await emit(splitter.flush(), 0);
      return status;
    };

    return {
      async run(signal) {
        const periodMs = options.interval_sec * 1000 + options.interval_nsec / 1e6;
        for (;;) {
          if (!once) await ctx.clock.sleep(periodMs, signal);
          if (signal.aborted) return;
          const status = await runOnce(signal);
          if (!once) continue;
          if (options.propagate_exit_code && !signal.aborted) ctx.exitCode(status);
          return;
        }
      },
    };
  },
});

/**
 * Runs a command line to its end, and gives its exit status as a shell shows it. Reading its output stops
 * while `take` waits, and so does the command.
 */
async function runCommand(
  command: string,
  signal: AbortSignal,
  take: (chunk: Buffer) => Promise<void> | undefined,
  onError: (error: Error) => void,
): Promise<number> {
  const child = spawn("/bin/sh", ["-c", command], {
    stdio: ["ignore", "pipe", "inherit"],
    // A group of its own, so that what the shell started ends with it.
    detached: true,
  });
  const ended = new Promise<number>((resolve) => {
    child.on("error", (error) => {
      onError(error);
      resolve(127);
    });
    child.on("close", (code, sig) => resolve(code ?? 128 + (sig ? constants.signals[sig] : 0)));
  });
  const stop = () => void endGroup(child.pid, ended);
  signal.addEventListener("abort", stop, { once: true });
  try {
    for await (const chunk of child.stdout) await take(chunk as Buffer);
    return await ended;
  } catch (error) {
    stop();
    throw error;
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

/** Asks the process group to end, and ends it when it does not. */
async function endGroup(pid: number | undefined, ended: Promise<unknown>): Promise<void> {
  if (pid === undefined) return;
  const kill = (signal: NodeJS.Signals) => {
    try {
      process.kill(-pid, signal);
    } catch {
      // It has ended already.
    }
  };
  kill("SIGTERM");
  const timer = setTimeout(() => kill("SIGKILL"), KILL_AFTER_MS);
  await ended;
  clearTimeout(timer);
}
