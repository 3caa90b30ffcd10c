const DAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const MONTHS = [
  "January",
  "February",
  "March",
  "April",
  "May",
  "June",
  "July",
  "August",
  "September",
  "October",
  "November",
  "December",
];
const DAY_MS = 86_400_000;

const pad = (value: number, width = 2, fill = "0") => String(value).padStart(width, fill);

/** What each conversion character of the C library's strftime prints in the C locale. */
const CONVERSIONS: Readonly<Record<string, (t: Date) => string>> = {
  a: (t) => DAYS[t.getUTCDay()]!.slice(0, 3),
  A: (t) => DAYS[t.getUTCDay()]!,
  b: (t) => MONTHS[t.getUTCMonth()]!.slice(0, 3),
  B: (t) => MONTHS[t.getUTCMonth()]!,
  c: (t) => strftime("%a %b %e %H:%M:%S %Y", t),
  C: (t) => pad(Math.floor(t.getUTCFullYear() / 100)),
  d: (t) => pad(t.getUTCDate()),
  D: (t) => strftime("%m/%d/%y", t),
  e: (t) => pad(t.getUTCDate(), 2, " "),
  F: (t) => strftime("%Y-%m-%d", t),
  g: (t) => pad(isoWeek(t).year % 100),
  G: (t) => String(isoWeek(t).year),
  h: (t) => MONTHS[t.getUTCMonth()]!.slice(0, 3),
  H: (t) => pad(t.getUTCHours()),
  I: (t) => pad(t.getUTCHours() % 12 || 12),
  j: (t) => pad(dayOfYear(t) + 1, 3),
  k: (t) => pad(t.getUTCHours(), 2, " "),
  l: (t) => pad(t.getUTCHours() % 12 || 12, 2, " "),
  m: (t) => pad(t.getUTCMonth() + 1),
  M: (t) => pad(t.getUTCMinutes()),
  n: () => "\n",
  p: (t) => t.getUTCHours() < 12 ? "AM" : "PM",
  P: (t) => t.getUTCHours() < 12 ? "am" : "pm",
  r: (t) => strftime("%I:%M:%S %p", t),
  R: (t) => strftime("%H:%M", t),
  s: (t) => String(Math.floor(t.getTime() / 1000)),
  S: (t) => pad(t.getUTCSeconds()),
  t: () => "\t",
  T: (t) => strftime("%H:%M:%S", t),
  u: (t) => String(t.getUTCDay() || 7),
  U: (t) => pad(Math.floor((dayOfYear(t) + 7 - t.getUTCDay()) / 7)),
  V: (t) => pad(isoWeek(t).week),
  w: (t) => String(t.getUTCDay()),
  W: (t) => pad(Math.floor((dayOfYear(t) + 7 - (t.getUTCDay() + 6) % 7) / 7)),
  x: (t) => strftime("%m/%d/%y", t),
  X: (t) => strftime("%H:%M:%S", t),
  y: (t) => pad(t.getUTCFullYear() % 100),
  Y: (t) => String(t.getUTCFullYear()),
  z: () => "+0000",
  Z: () => "GMT",
  "%": () => "%",
};

/** Writes a time in UTC as the C library's strftime does. What it does not know stays as it is. */
export function strftimeUtc(format: string, sec: number): string {
  return strftime(format, new Date(sec * 1000));
}

function strftime(format: string, time: Date): string {
  return format.replace(
    /%[EO]?([a-zA-Z%])/g,
    (whole, name: string) => CONVERSIONS[name]?.(time) ?? whole,
  );
}

function dayOfYear(time: Date): number {
  return Math.floor((time.getTime() - Date.UTC(time.getUTCFullYear(), 0, 1)) / DAY_MS);
}

/** The week of ISO 8601 and the year it belongs to: that of its Thursday. */
function isoWeek(time: Date): { readonly year: number; readonly week: number } {
  const thursday = new Date(time.getTime() + (4 - (time.getUTCDay() || 7)) * DAY_MS);
  return { year: thursday.getUTCFullYear(), week: Math.floor(dayOfYear(thursday) / 7) + 1 };
}
