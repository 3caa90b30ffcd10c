const ROW_BYTES = 16;

/** Bytes as people read them: place, sixteen bytes in hexadecimal, and those of them that are plain characters. */
export function hexDump(bytes: Uint8Array): string {
  const rows: string[] = [];
  for (let at = 0; at < bytes.length; at += ROW_BYTES) {
    const row = [...bytes.subarray(at, at + ROW_BYTES)];
    const hex = row.map((byte) => byte.toString(16).padStart(2, "0"));
    const halves = [hex.slice(0, 8).join(" "), hex.slice(8).join(" ")].join("  ");
    const plain = row.map((byte) => byte >= 32 && byte < 127 ? String.fromCharCode(byte) : ".");
    rows.push(`${at.toString(16).padStart(8, "0")}  ${halves.padEnd(48)}  |${plain.join("")}|\n`);
  }
  return rows.join("");
}
