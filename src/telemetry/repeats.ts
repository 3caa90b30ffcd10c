/** A message within this time of one like it is counted instead of written, in milliseconds. */
export const QUIET_MS = 1000;
/** Different messages of one component within that time; more are counted only. */
const MAX_KINDS = 50;
const MAX_REMEMBERED = 1000;

export interface RepeatsOptions {
  /** Calls back once after so many milliseconds. Must not keep the process alive. */
  readonly after: (ms: number, call: () => void) => void;
}

interface Kind<Line> {
  suppressed: number;
  last: Line | undefined;
}

/**
 * Keeps a flood out of the log without hiding it. The first message of a kind passes; those that follow
 * within a second are counted, and at its end the last of them is released with their number. So a burst
 * has a first line and a last one, and no count is ever lost.
 */
export class Repeats<Line> {
  private readonly options: RepeatsOptions;
  private readonly release: (line: Line, repeated: number) => void;
  private readonly kinds = new Map<string, Kind<Line>>();
  private readonly kindsOf = new Map<string, number>();

  constructor(options: RepeatsOptions, release: (line: Line, repeated: number) => void) {
    this.options = options;
    this.release = release;
  }

  /** True when the line may be written now. Otherwise it is counted, and released later. */
  admit(group: string, message: string, line: Line, quietMs: number = QUIET_MS): boolean {
    let key = `${group} ${withoutNumbers(message)}`;
    let kind = this.kinds.get(key);
    if (kind === undefined && (this.kindsOf.get(group) ?? 0) >= MAX_KINDS) {
      // A message that quotes data is different every time: all of these count as one kind.
      key = `${group} *`;
      kind = this.kinds.get(key);
    }
    if (kind !== undefined) {
      kind.suppressed++;
      kind.last = line;
      return false;
    }
    this.open(group, key, quietMs);
    return true;
  }

  /** Releases what is counted and not yet told, as before the process ends. */
  flush(): void {
    for (const kind of this.kinds.values()) this.tell(kind);
  }

  private open(group: string, key: string, quietMs: number): void {
    if (this.kinds.size >= MAX_REMEMBERED) this.forgetOldest();
    const kind: Kind<Line> = { suppressed: 0, last: undefined };
    this.kinds.set(key, kind);
    this.kindsOf.set(group, (this.kindsOf.get(group) ?? 0) + 1);
    const look = (): void => {
      if (this.kinds.get(key) !== kind) return;
      if (kind.suppressed === 0) return this.forget(group, key);
      this.tell(kind);
      this.options.after(quietMs, look);
    };
    this.options.after(quietMs, look);
  }

  private tell(kind: Kind<Line>): void {
    const { last, suppressed } = kind;
    kind.suppressed = 0;
    kind.last = undefined;
    if (last !== undefined) this.release(last, suppressed);
  }

  private forget(group: string, key: string): void {
    this.kinds.delete(key);
    const left = (this.kindsOf.get(group) ?? 1) - 1;
    if (left > 0) this.kindsOf.set(group, left);
    else this.kindsOf.delete(group);
  }

  private forgetOldest(): void {
    const [key, kind] = this.kinds.entries().next().value!;
    this.tell(kind);
    this.forget(key.slice(0, key.indexOf(" ", key.indexOf(" ") + 1)), key);
  }
}

/** Numbers that stand alone make no difference; those in names such as `http.1` or `a-2.log` do. */
function withoutNumbers(message: string): string {
  return message.replace(/(?<![\w.:/-])\d+(?:\.\d+)?(?![\w/-])/g, "#");
}
