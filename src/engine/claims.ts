import type { DiskQueue } from "../buffer/disk/disk-queue.ts";
import type { SavedPosition } from "./checkpoint-file.ts";

/** How far streams are safe in the queues, by input and stream. */
export type Claims = ReadonlyMap<string, ReadonlyMap<string, SavedPosition>>;

/** What queues say, of several claims the newest. */
export function claimsOf(queues: readonly DiskQueue[]): Claims {
  return newestClaims(
    queues.map(({ claims }) =>
      new Map(
        [...Map.groupBy(claims, ({ input }) => input)].map(([input, own]) => [
          input,
          newestByStream(own.map(({ stream, position, order }) => [stream, { position, order }])),
        ]),
      )
    ),
  );
}

export function newestClaims(all: readonly Claims[]): Claims {
  const inputs = new Set(all.flatMap((claims) => [...claims.keys()]));
  return new Map(
    [...inputs].map((input) => [
      input,
      newestByStream(all.flatMap((claims) => [...claims.get(input) ?? []])),
    ]),
  );
}

function newestByStream(
  positions: readonly (readonly [stream: string, position: SavedPosition])[],
): Map<string, SavedPosition> {
  const newest = new Map<string, SavedPosition>();
  for (const [stream, position] of positions) {
    if ((newest.get(stream)?.order ?? -1) < position.order) newest.set(stream, position);
  }
  return newest;
}
