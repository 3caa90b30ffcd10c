/** Reads `+0200`, `+02:00` or `Z` into seconds. Throws RangeError for anything else. */
export function parseUtcOffset(text: string): number {
  if (text === "Z") return 0;
  const match = /^([+-])(\d\d):?(\d\d)$/.exec(text);
  const minutes = match === null ? NaN : Number(match[2]) * 60 + Number(match[3]);
  if (match === null || Number(match[2]) > 59 || Number(match[3]) > 59) {
    throw new RangeError(`expected an offset such as +0200, got ${JSON.stringify(text)}`);
  }
  return (match[1] === "-" ? -60 : 60) * minutes;
}
