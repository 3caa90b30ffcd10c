import type { Gauge } from "../sdk/context.ts";

/** What becomes of records; for every source and every output these balance. */
export const BOOK_ENTRIES = [
  "in",
  "recovered",
  "copied",
  "delivered",
  "filtered",
  "dropped",
  "dead_lettered",
  "held",
] as const;
export type BookEntry = (typeof BOOK_ENTRIES)[number];
export type BookMetrics = Readonly<Record<BookEntry, Gauge>>;

export type BookKind = "input" | "filter" | "output";

/**
 * The records of one source, which is an input, or a filter that emits records of its own, or of one output.
 * `in + recovered + copied = delivered + filtered + dropped + dead_lettered + held` at any time.
 *
 * `copied` are the copies for the second and further outputs that a record goes to, and `filtered` what filters took
 * out less what they added. `recovered` is what an output found in its queue.
 */
export class Book {
  readonly kind: BookKind;
  readonly name: string;
  /** Unique among sources, where an input and a filter may have one name. */
  readonly id: string;
  in = 0;
  recovered = 0;
  copied = 0;
  delivered = 0;
  filtered = 0;
  dropped = 0;
  deadLettered = 0;

  constructor(kind: BookKind, name: string) {
    this.kind = kind;
    this.name = name;
    this.id = kind === "filter" ? `filter ${name}` : name;
  }

  /** What must still be somewhere. */
  get held(): number {
    const { in: came, recovered, copied, delivered, filtered, dropped, deadLettered } = this;
    return came + recovered + copied - delivered - filtered - dropped - deadLettered;
  }

  show(metrics: BookMetrics): void {
    metrics.in.value = this.in;
    metrics.recovered.value = this.recovered;
    metrics.copied.value = this.copied;
    metrics.delivered.value = this.delivered;
    metrics.filtered.value = this.filtered;
    metrics.dropped.value = this.dropped;
    metrics.dead_lettered.value = this.deadLettered;
    metrics.held.value = this.held;
  }

  toString(): string {
    const { id, in: came, recovered, copied, delivered, filtered, dropped, deadLettered } = this;
    return `${id}: in ${came} + recovered ${recovered} + copied ${copied}, delivered ${delivered} + ` +
      `filtered ${filtered} + dropped ${dropped} + dead-lettered ${deadLettered} + held ${this.held}`;
  }
}

type Fate = "delivered" | "dropped" | "deadLettered";

/** The books of all sources and outputs. */
export class Books {
  private readonly sources = new Map<string, Book>();
  private readonly outputs = new Map<string, Book>();

  /** The book of an input, or of a filter that emits records of its own, made at the first call. */
  source(kind: "input" | "filter", name: string): Book {
    const book = new Book(kind, name);
    return this.sources.get(book.id) ?? this.add(this.sources, book);
  }

  output(name: string): Book {
    return this.outputs.get(name) ?? this.add(this.outputs, new Book("output", name));
  }

  get all(): readonly Book[] {
    return [...this.sources.values(), ...this.outputs.values()];
  }

  /** The source that has most records somewhere: whose it is likely to be when that is not known. */
  private get largestHolder(): Book | undefined {
    return [...this.sources.values()].reduce<Book | undefined>(
      (most, book) => most === undefined || book.held > most.held ? book : most,
      undefined,
    );
  }

  private add(books: Map<string, Book>, book: Book): Book {
    books.set(book.id, book);
    return book;
  }

  /**
   * Says what became of an output's records. `shares` are the sources' parts, `undefined` for records of an earlier
   * run, which are in no source's book.
   */
  settle(
    output: Book,
    fate: Fate,
    records: number,
    shares: ReadonlyMap<string, number> | undefined,
  ): void {
    output[fate] += records;
    if (shares === undefined) return;
    let known = 0;
    for (const [id, share] of shares) {
      known += share;
      const source = this.sources.get(id);
      if (source !== undefined) source[fate] += share;
    }
    // What a damaged queue lost does not say whose it was.
    const owner = known < records ? this.largestHolder : undefined;
    if (owner !== undefined) owner[fate] += records - known;
  }

  /**
   * What does not add up, when each output holds so many records of this run and of earlier ones, and so many are
   * inside filters: a sentence for each.
   */
  problems(
    held: ReadonlyMap<string, { readonly own: number; readonly recovered: number }>,
    inFilters: number,
  ): string[] {
    const problems: string[] = [];
    let expected = inFilters;
    for (const [name, { own, recovered }] of held) {
      expected += own;
      const book = this.output(name);
      if (book.held === own + recovered) continue;
      problems.push(`output ${book}; its queue has ${own + recovered}`);
    }
    const sources = [...this.sources.values()];
    const inBooks = sources.reduce((sum, book) => sum + book.held, 0);
    if (inBooks !== expected || sources.some((book) => book.held < 0)) {
      problems.push(`the outputs hold ${expected} records of: ${sources.map(String).join("; ")}`);
    }
    return problems;
  }
}

/** Takes so many records out of shares, from the first on, and returns whose they were. */
export function takeShares(shares: Map<string, number>, records: number): Map<string, number> {
  const taken = new Map<string, number>();
  let left = records;
  for (const [source, share] of shares) {
    if (left === 0) break;
    const part = Math.min(left, share);
    taken.set(source, part);
    if (part === share) shares.delete(source);
    else shares.set(source, share - part);
    left -= part;
  }
  return taken;
}
