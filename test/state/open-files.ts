import { CheckpointFile, type CheckpointFileOptions } from "../../src/state/checkpoint-file.ts";
import { testContext } from "../support/context.ts";

const opened: CheckpointFile[] = [];

/** Closes what tests left open: for `afterEach`. */
export function closeFiles(): void {
  for (const file of opened.splice(0)) file.close();
}

export function openFile(path: string, options: Partial<CheckpointFileOptions> = {}) {
  const { log, logged } = testContext();
  const file = CheckpointFile.open({
    path,
    owner: "",
    plugin: "tail",
    log,
    nowMs: () => 1234,
    ...options,
  });
  opened.push(file);
  return { file, messages: logged };
}

export function positions(entries: Readonly<Record<string, string>>, order = 1) {
  return new Map(
    Object.entries(entries).map(([stream, position]) => [stream, { position, order }]),
  );
}

/** What a file holds, by stream. */
export function saved(path: string, options: Partial<CheckpointFileOptions> = {}) {
  const { file } = openFile(path, options);
  const found = Object.fromEntries(
    [...file.saved].map(([stream, { position }]) => [stream, position]),
  );
  file.close();
  return found;
}

/** Makes a file with this many positions, `p7` for the stream `s7`. 500 fill several pages of the database. */
export function fill(path: string, count = 500): void {
  const { file } = openFile(path);
  const many = Object.fromEntries(Array.from({ length: count }, (_, i) => [`s${i}`, `p${i}`]));
  file.commit(positions(many), new Set(), true);
  file.close();
}
