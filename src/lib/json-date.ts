/** How the time of a record is written into JSON. */
export type JsonDateFormat = "double" | "epoch" | "epoch_ms" | "iso8601" | "java_sql_timestamp";

/** Makes the JSON value of a record's time. */
export type JsonDate = (sec: number, nsec: number) => number | string;

/** The writer of one format: numbers for the epochs, text in UTC with microseconds for the others. */
export function jsonDate(format: JsonDateFormat): JsonDate {
  switch (format) {
    case "double":
      return doubleDate;
    case "epoch":
      return (sec) => sec;
    case "epoch_ms":
      return (sec, nsec) => sec * 1000 + Math.floor(nsec / 1e6);
    case "iso8601":
      return textDate("T", "Z");
    case "java_sql_timestamp":
      return textDate(" ", "");
  }
}

/** Microseconds are what a double holds beside the seconds of today: 16 digits in all. */
function doubleDate(sec: number, nsec: number): number {
  return nsec === 0 ? sec : sec + Math.round(nsec / 1000) / 1e6;
}

function textDate(between: string, end: string): JsonDate {
  // Records come in the order of their time, so nearly always the second is the same as before.
  let lastSec = NaN;
  let prefix = "";
  return (sec, nsec) => {
    if (sec !== lastSec) {
      const text = new Date(sec * 1000).toISOString();
      const dot = text.length - ".000Z".length;
      prefix = `${text.slice(0, dot - 9)}${between}${text.slice(dot - 8, dot)}.`;
      lastSec = sec;
    }
    return prefix + String(Math.floor(nsec / 1000)).padStart(6, "0") + end;
  };
}
