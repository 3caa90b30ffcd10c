import { escapeControls, type HttpResponse } from "logcollector/plugin";

/** What became of one record. */
export interface Outcome {
  readonly what: "taken" | "again" | "refused";
  /** Why, for what was not taken: the kind of the error for all records alike, and the server's words for this one. */
  readonly kind: string;
  readonly words: string;
}

const TAKEN: Outcome = { what: "taken", kind: "", words: "" };
const UNKNOWN: Outcome = {
  what: "again",
  kind: "unknown",
  words: "the answer does not say what became of it",
};

/** How an answer begins in which no record has failed, and how any answer begins up to its items. */
const NO_ERRORS = /^\s*\{"took":\d+,(?:"ingest_took":\d+,)?"errors":false,"items":\[/;
const BEGINNING = /^\s*\{(?:"\w+":(?:-?\d+|true|false),)*"items":\[/;
const SUCCESS = '"status":20';
const BRACE = 0x7d;
const BRACKET = 0x5d;
const COMMA = 0x2c;
const MAX_WORDS = 500;

/**
 * What became of each of so many records, in their order; `undefined` when all were taken. Throws Error when the answer
 * does not say: then nothing counts as taken.
 */
export function readBulkAnswer(
  response: HttpResponse,
  records: number,
): readonly Outcome[] | undefined {
  const { body, isWhole } = response;
  if (isWhole && isPlainSuccess(body, records)) return undefined;
  const outcomes = isWhole ? outcomesOfAll(body, records) : outcomesOfBeginning(body, records);
  return outcomes.every(({ what }) => what === "taken") ? undefined : outcomes;
}

/**
 * Whether every record was taken, without making objects of the answer: most answers say nothing else, at length, and it
 * saves a seventh of the whole pipeline's time. In an item the status comes last. Only a name can look like `"status":`
 * in JSON, since a quote in a text has a backslash in front.
 */
function isPlainSuccess(body: string, records: number): boolean {
  if (!NO_ERRORS.test(body) || !body.trimEnd().endsWith("]}")) return false;
  let found = 0;
  for (let at = body.indexOf(SUCCESS); at !== -1; at = body.indexOf(SUCCESS, at)) {
    // Its last digit, two braces, and a comma or bracket.
    at += SUCCESS.length + 1;
    if (body.charCodeAt(at) !== BRACE || body.charCodeAt(at + 1) !== BRACE) return false;
    const next = body.charCodeAt(at + 2);
    if (next !== COMMA && next !== BRACKET) return false;
    found++;
  }
  return found === records;
}

function outcomesOfAll(body: string, records: number): Outcome[] {
  let answer: unknown;
  try {
    answer = JSON.parse(body);
  } catch (cause) {
    throw new Error(`the answer is no JSON: ${(cause as Error).message}`, { cause });
  }
  const items = property(answer, "items");
  if (!Array.isArray(items)) throw new Error("the answer has no items");
  if (items.length !== records) {
    throw new Error(`the answer has ${items.length} items for ${records} records`);
  }
  return items.map(outcomeOf);
}

/** An answer that was too long to be read to its end says something of the records whose items came whole. */
function outcomesOfBeginning(body: string, records: number): Outcome[] {
  const beginning = BEGINNING.exec(body)?.[0];
  if (beginning === undefined) throw new Error("the answer is too long, and has no items");
  const outcomes = objectsIn(body, beginning.length).slice(0, records).map((text) =>
    outcomeOf(JSON.parse(text))
  );
  // Those behind are not known, unless the server says that nothing has failed.
  const others = NO_ERRORS.test(body) ? TAKEN : UNKNOWN;
  if (outcomes.length === 0 && others === UNKNOWN) {
    throw new Error("the answer is too long: no item fits");
  }
  while (outcomes.length < records) outcomes.push(others);
  return outcomes;
}

/** The texts of the whole objects in an array, from behind its opening bracket. */
function objectsIn(text: string, from: number): string[] {
  const found: string[] = [];
  const token = /"(?:[^"\\]|\\.)*"|[{}]/gs;
  token.lastIndex = from;
  let depth = 0;
  let start = from;
  for (let match = token.exec(text); match !== null; match = token.exec(text)) {
    if (match[0] === "{" && depth++ === 0) start = match.index;
    if (match[0] === "}" && --depth === 0) found.push(text.slice(start, match.index + 1));
    if (depth < 0) break;
  }
  return found;
}

/** An item is an object whose only member is called after the operation. */
function outcomeOf(item: unknown): Outcome {
  const [action, result] = Object.entries(item ?? {})[0] ?? [];
  const status = property(result, "status");
  if (typeof status !== "number") return UNKNOWN;
  if (status >= 200 && status < 300) return TAKEN;
  // The document is there already: it was taken by an attempt whose answer was lost. An update was overtaken.
  if (status === 409 && action !== "update") return TAKEN;
  const isPassing = status === 429 || status === 409 || status >= 500;
  const error = property(result, "error");
  const type = shorten(textOf(property(error, "type")));
  const kind = type === "" ? `status is ${status}` : `status is ${status}, ${type}`;
  return { what: isPassing ? "again" : "refused", kind, words: wordsOf(error) };
}

/** The reason, and what has caused it. Old servers have a text in place of an object. */
function wordsOf(error: unknown): string {
  if (typeof error === "string") return shorten(error);
  const reasons: string[] = [];
  for (let at = error; at !== undefined && reasons.length < 5; at = property(at, "caused_by")) {
    const reason = textOf(property(at, "reason"));
    if (reason !== "") reasons.push(reason);
  }
  return shorten(reasons.join(", because: "));
}

/** On one line, since it goes into messages. */
function shorten(text: string): string {
  const line = text.slice(0, MAX_WORDS).replace(/\s+/g, " ");
  return escapeControls(text.length > MAX_WORDS ? `${line}…` : line);
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function property(value: unknown, name: string): unknown {
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) return undefined;
  return (value as Record<string, unknown>)[name];
}
