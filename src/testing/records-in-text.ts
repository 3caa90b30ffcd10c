import type { Body } from "../sdk/record.ts";

/** The records of a request's body: JSON lines, JSON arrays or objects, one a line or in a row. */
export function recordsInText(text: string): Body[] {
  const whole = parse(text);
  if (whole !== undefined) return whole;
  return text.split("\n").filter((line) => line.trim() !== "").flatMap((line) => {
    const records = parse(line);
    if (records !== undefined) return records;
    throw new SyntaxError(`Cannot read records: not JSON: ${JSON.stringify(line.slice(0, 200))}`);
  });
}

function parse(text: string): Body[] | undefined {
  try {
    return [JSON.parse(text)].flat() as Body[];
  } catch {
    return undefined;
  }
}
