import type { Ack } from "./checkpoint.ts";

/** What to call when a batch is safe. For hosts of plugins that pass acks on without positions. */
export function ackOf(ack: Ack | undefined): (() => void) | undefined {
  if (ack === undefined || typeof ack === "function") return ack;
  return ack.ack === undefined ? undefined : () => ack.ack!();
}
