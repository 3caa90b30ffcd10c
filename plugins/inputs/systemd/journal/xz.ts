import type { FieldTrouble } from "./field-reader.ts";

export function decompressXz(_packed: Buffer, _limit: number): Buffer | FieldTrouble {
  return "unpackable";
}
