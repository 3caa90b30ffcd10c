import {
  type Compression,
  PartialError,
  PermanentError,
  RecordList,
  type RefusedPart,
} from "logcollector/plugin";
import type { Outcome } from "./bulk-answer.ts";
import { bulkEnds } from "./bulk-ends.ts";

/** Kinds of errors that get a dead letter of their own; what is of another kind shares the last one. */
const MAX_KINDS = 20;

/**
 * The error that says what is to become of a body of which not all was taken: what was refused is given up, by the kind
 * of its error, and what may be taken later is sent again, alone and in its order.
 */
export async function errorOfOutcomes(
  bytes: Uint8Array,
  outcomes: readonly Outcome[],
  what: string,
  compression: Compression | undefined,
): Promise<Error> {
  const again = indicesOf(outcomes, "again");
  const refused = indicesOf(outcomes, "refused");
  const message = `${what}: ${sentence(outcomes, refused, again)}`;
  if (again.length === outcomes.length) return new Error(message);
  const groups = byKind(outcomes, refused);
  // One letter for all of them: the payload itself.
  if (refused.length === outcomes.length && groups.length === 1) return new PermanentError(message);
  let list: RecordList;
  try {
    const plain = await compression?.unpack(bytes) ?? bytes;
    list = new RecordList(plain, outcomes.length, bulkEnds, {});
  } catch (cause) {
    // What was taken would be sent again without an end.
    return new PermanentError(`${message}, and cannot be split: ${(cause as Error).message}`, {
      cause,
    });
  }
  const bodyOf = async (indices: readonly number[]): Promise<Uint8Array> => {
    // A copy, since the engine takes the payload's memory back.
    const body = Buffer.concat(indices.map((i) => list.body(i, i + 1)));
    return await compression?.pack(body) ?? body;
  };
  const refusedParts: RefusedPart[] = [];
  for (const group of groups) {
    refusedParts.push({
      bytes: await bodyOf(group),
      records: group.length,
      message: `${what}: ${reasonOf(outcomes, group)}`,
    });
  }
  const remaining = again.length === 0 ? new Uint8Array() : await bodyOf(again);
  return new PartialError(message, remaining, again.length, refused.length, { refusedParts });
}

function indicesOf(outcomes: readonly Outcome[], what: Outcome["what"]): number[] {
  return outcomes.flatMap((outcome, i) => outcome.what === what ? [i] : []);
}

function byKind(outcomes: readonly Outcome[], refused: readonly number[]): number[][] {
  const groups = new Map<string, number[]>();
  for (const i of refused) {
    const { kind } = outcomes[i]!;
    const key = groups.has(kind) || groups.size < MAX_KINDS - 1 ? kind : "other";
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [i]);
    else group.push(i);
  }
  return [...groups.values()];
}

function sentence(
  outcomes: readonly Outcome[],
  refused: readonly number[],
  again: readonly number[],
): string {
  const parts: string[] = [];
  if (refused.length > 0) parts.push(`${refused.length} refused, ${reasonOf(outcomes, refused)}`);
  if (again.length > 0) parts.push(`${again.length} not taken, ${reasonOf(outcomes, again)}`);
  return `of ${outcomes.length} records ${parts.join("; ")}`;
}

/** Why the first of them was not taken. */
function reasonOf(outcomes: readonly Outcome[], indices: readonly number[]): string {
  const { kind, words } = outcomes[indices[0]!]!;
  return words === "" ? kind : `${kind}: ${words}`;
}
