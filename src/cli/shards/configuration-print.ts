import type { Fingerprints } from "../fingerprint.ts";

/** Tells a configuration from another that was read a moment later. */
export function configurationPrint(prints: Fingerprints): string {
  return Bun.hash(JSON.stringify(prints)).toString(16);
}
