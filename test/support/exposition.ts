/** A strict reader of Prometheus' text format, as a scraper would read it. */

export interface ExposedFamily {
  help: string;
  type: string;
  samples: { labels: Record<string, string>; value: number }[];
}

/** Throws at anything that a scraper would refuse. */
export function parseExposition(text: string): Map<string, ExposedFamily> {
  if (text !== "" && !text.endsWith("\n")) throw new Error("The last line has no line break");
  const families = new Map<string, ExposedFamily>();
  for (const line of text.split("\n").slice(0, -1)) {
    const comment = /^# (HELP|TYPE) ([a-zA-Z_:][\w:]*) (.*)$/.exec(line);
    if (comment) describe(families, comment[1]!, comment[2]!, comment[3]!);
    else addSample(families, line);
  }
  return families;
}

function describe(
  families: Map<string, ExposedFamily>,
  what: string,
  name: string,
  text: string,
): void {
  if (what === "HELP") {
    if (families.has(name)) throw new Error(`${name} is described twice`);
    families.set(name, { help: text, type: "", samples: [] });
    return;
  }
  const family = families.get(name);
  if (family === undefined || family.type !== "") throw new Error(`TYPE of ${name} is misplaced`);
  if (!["counter", "gauge", "histogram"].includes(text)) throw new Error(`${name} is a ${text}`);
  family.type = text;
}

function addSample(families: Map<string, ExposedFamily>, line: string): void {
  const match = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/.exec(line);
  if (!match) throw new Error(`Cannot read ${line}`);
  const [, name, labelText = "", number] = match;
  const family = families.get(name!) ?? families.get(name!.replace(/_(bucket|sum|count)$/, ""));
  if (family === undefined || family.type === "") throw new Error(`${name} has no TYPE before it`);
  const labels = labelsOf(labelText);
  const value = Number(number!.replace("Inf", "Infinity"));
  if (Number.isNaN(value) && number !== "NaN") throw new Error(`Cannot read the value of ${line}`);
  const known = family.samples.some((other) => Bun.deepEquals(other.labels, labels));
  if (known) throw new Error(`${line} is there twice`);
  family.samples.push({ labels, value });
}

function labelsOf(text: string): Record<string, string> {
  const labels: Record<string, string> = {};
  const one = /([a-zA-Z_]\w*)="((?:[^"\\\n]|\\[\\"n])*)"(,|$)/y;
  while (one.lastIndex < text.length) {
    const match = one.exec(text);
    if (!match) throw new Error(`Cannot read the labels {${text}}`);
    labels[match[1]!] = match[2]!.replace(/\\(.)/g, (_, c) => c === "n" ? "\n" : c);
  }
  return labels;
}
