import { REPLAY_LOCK } from "../../buffer/dead-letters/letter-folder.ts";
import { systemDiskFiles } from "../../buffer/disk/files.ts";
import { closest } from "../../lib/closest.ts";
import { countOf } from "../../lib/count-of.ts";
import { type FileLock, LockedError, lockFile } from "../../state/file-lock.ts";
import { LogSink } from "../../telemetry/logger.ts";
import { printable } from "../../telemetry/printable.ts";
import { type CommandIo, EXIT } from "../command-io.ts";
import type { SignalSource } from "../stop-on-signals.ts";
import type { DlqCommand } from "./arguments.ts";
import { chooseLetters, type ChosenLetter } from "./choose-letters.ts";
import { Destinations } from "./destinations.ts";
import { configuredFolder } from "./letter-folder.ts";
import { loadConfiguration } from "./load-configuration.ts";
import { OutputMaker } from "./make-outputs.ts";
import { replayLetter, type ReplayOptions } from "./replay-letter.ts";

type ReplayCommand = Extract<DlqCommand, { name: "replay" }>;

/** What sending letters again needs of the process. */
export type ReplayIo = CommandIo & Pick<SignalSource, "onStop">;

/** `logcollector dlq replay`: sends letters again, and removes those that arrive. Status 1 when something is left. */
export async function replayDeadLetters(
  { configPath, choice, to }: ReplayCommand,
  io: ReplayIo,
): Promise<number> {
  const loaded = await loadConfiguration(configPath, io);
  const folder = loaded && configuredFolder(configPath, loaded.config.service, io);
  if (loaded === undefined || folder === undefined) return EXIT.usage;
  const maker = new OutputMaker(loaded, ownLog(io));
  if (to !== undefined && !maker.ids.includes(to)) {
    const near = closest(to, maker.ids);
    const hint = near === undefined ? maker.ids.join(", ") : `did you mean "${near}"?`;
    io.stderr(`logcollector: there is no output "${to}" in ${configPath}: ${hint}\n`);
    return EXIT.usage;
  }
  const files = systemDiskFiles;
  let lock: FileLock | undefined;
  try {
    lock = files.facts(folder) && lockFile(`${folder}/${REPLAY_LOCK}`);
    const { letters, missing } = chooseLetters(folder, choice, Date.now(), files);
    for (const id of missing) io.stderr(`There is no dead letter ${id} in ${folder}\n`);
    const status = await stoppable(io, (signal) => {
      const say = (line: string) => io.stdout(`${line}\n`);
      return sendAll(letters, new Destinations(maker, to), { files, folder, signal, say });
    });
    return missing.length > 0 ? EXIT.failed : status;
  } catch (error) {
    io.stderr(`logcollector: ${messageOf(error, folder)}\n`);
    return EXIT.failed;
  } finally {
    lock?.release();
  }
}

async function sendAll(
  letters: Iterable<ChosenLetter>,
  destinations: Destinations,
  options: Omit<ReplayOptions, "onRefusedAgain">,
): Promise<number> {
  const { files, folder, say, signal } = options;
  const sum = { delivered: 0, left: 0, lost: 0, letters: 0, lettersLeft: 0 };
  const onRefusedAgain = (records: number) => {
    sum.left += records;
    sum.lettersLeft++;
  };
  for (const letter of letters) {
    if (signal.aborted) break;
    const destination = await destinations.of(letter);
    const leave = (why: string) => {
      say(`Left ${letter.id}, ${countOf(letter.records, "record")}: ${printable(why)}`);
      return { delivered: 0, left: letter.records, lost: 0 };
    };
    const outcome = typeof destination === "string"
      ? leave(destination)
      : await replayLetter(letter, destination, { ...options, onRefusedAgain });
    sum.letters++;
    sum.delivered += outcome.delivered;
    sum.left += outcome.left;
    sum.lost += outcome.lost;
    if (outcome.left > 0 || typeof destination === "string") sum.lettersLeft++;
  }
  await destinations.close();
  if (sum.letters === 0 && !signal.aborted) {
    say(`There is nothing to replay in ${folder}`);
    return EXIT.ok;
  }
  if (sum.delivered > 0) await files.syncFolder(folder);
  say(
    [
      `Delivered ${countOf(sum.delivered, "record")}`,
      ...(sum.lost > 0 ? [`lost ${countOf(sum.lost, "record")}`] : []),
      ...(sum.left > 0
        ? [`left ${countOf(sum.lettersLeft, "letter")} with ${countOf(sum.left, "record")}`]
        : []),
      ...(signal.aborted ? ["stopped before the end"] : []),
    ].join("; "),
  );
  const isDone = sum.lettersLeft === 0 && sum.lost === 0 && !signal.aborted;
  return isDone ? EXIT.ok : EXIT.failed;
}

/** The first signal ends what is under way in order, another one at once. */
async function stoppable(
  io: ReplayIo,
  work: (signal: AbortSignal) => Promise<number>,
): Promise<number> {
  const abort = new AbortController();
  const { promise, resolve } = Promise.withResolvers<number>();
  io.onStop(() => abort.signal.aborted ? resolve(EXIT.failed) : abort.abort());
  return await Promise.race([work(abort.signal), promise]);
}

/** What outputs say of themselves. */
function ownLog(io: CommandIo): LogSink {
  return new LogSink({
    level: "warn",
    format: "text",
    colours: false,
    write: (line) => io.stderr(line),
    now: () => new Date(),
    after: (ms, call) => void setTimeout(call, ms).unref(),
  });
}

function messageOf(error: unknown, folder: string): string {
  if (!(error instanceof LockedError)) return (error as Error).message;
  const who = error.pid === undefined ? "another process" : `process ${error.pid}`;
  return `${who} sends the dead letters in ${folder} already`;
}
