import { letterFile } from "../../buffer/dead-letters/letter-name.ts";
import { type ReadLetter, readLetter } from "../../buffer/dead-letters/read-letter.ts";
import { writeLetter } from "../../buffer/dead-letters/write-letter.ts";
import type { DiskFiles } from "../../buffer/disk/files.ts";
import { countOf } from "../../lib/count-of.ts";
import type { PartialError, RefusedPart } from "../../sdk/errors.ts";
import { printable } from "../../telemetry/printable.ts";
import { type ChosenLetter, problemOf } from "./choose-letters.ts";
import type { Destination } from "./destination.ts";

export interface ReplayOptions {
  readonly files: DiskFiles;
  readonly folder: string;
  readonly signal: AbortSignal;
  /** Shows one line. */
  readonly say: (line: string) => void;
  /** So many records of a letter were refused again, and are one of their own now. */
  readonly onRefusedAgain: (records: number) => void;
}

/** What a letter came to, in records. */
export interface ReplayOutcome {
  readonly delivered: number;
  readonly left: number;
  /** Refused for good, of a letter of which a part arrived, and not to be told apart. */
  readonly lost: number;
}

/**
 * Sends a letter to a destination and removes it once it has arrived. When only a part does, the rest becomes a letter
 * of its own before the whole one goes, and so does what is refused again.
 */
export async function replayLetter(
  chosen: Pick<ChosenLetter, "id" | "timeMs" | "records">,
  destination: Destination,
  { files, folder, signal, say, onRefusedAgain }: ReplayOptions,
): Promise<ReplayOutcome> {
  let { id, records: left } = chosen;
  let total = left;
  let lost = 0;
  const leave = (why: string): ReplayOutcome => {
    say(`Left ${id}, ${countOf(left, "record")}: ${printable(why)}`);
    return { delivered: total - left - lost, left, lost };
  };
  let letter: ReadLetter;
  try {
    letter = readLetter(files, folder, id);
  } catch (error) {
    return leave(problemOf(error));
  }
  const unfit = destination.unfitFor(letter.header);
  if (unfit !== undefined) return leave(unfit);
  left = total = letter.header.records;
  const onRest = async (rest: PartialError, attempt: number): Promise<void> => {
    const { header } = letter;
    const next = await writeLetter(files, folder, {
      ...header,
      bytes: rest.remaining,
      records: rest.records,
      message: rest.message || header.message,
      attempts: header.attempts + attempt,
    }, chosen.timeMs);
    files.remove(`${folder}/${letterFile(id)}`);
    say(`Delivered a part of ${id}; the other ${countOf(rest.records, "record")} are ${next.id}`);
    left = rest.records;
    id = next.id;
  };
  const onRefused = async (
    { bytes, records }: RefusedPart,
    message: string,
    attempt: number,
  ): Promise<void> => {
    const { header } = letter;
    const attempts = header.attempts + attempt;
    const refused = { ...header, bytes, records, message, reason: "refused", attempts };
    const next = await writeLetter(files, folder, refused, chosen.timeMs);
    total -= records;
    left -= records;
    onRefusedAgain(records);
    const what = `${countOf(records, "record")} of ${id}`;
    say(`Left ${what}, as ${next.id}: refused again: ${printable(message)}`);
  };
  const onLost = (records: number, message: string): void => {
    lost += records;
    say(`Lost ${countOf(records, "record")} of ${id}, refused for good: ${printable(message)}`);
  };
  const result = await destination.send(letter, { signal, onRest, onRefused, onLost });
  if (result.kind === "refused") return leave(`refused again: ${result.message}`);
  if (result.kind === "failed") return leave(result.message);
  try {
    files.remove(`${folder}/${letterFile(id)}`);
  } catch (error) {
    return leave(`it arrived and cannot be removed: ${(error as Error).message}`);
  }
  if (left > 0) say(`Delivered ${id}, ${countOf(left, "record")}, to ${destination.id}`);
  return { delivered: total - lost, left: 0, lost };
}
