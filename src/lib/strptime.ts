import { civilDays } from "./civil-days.ts";
import { ownText } from "./own-text.ts";
import { runSteps, TimeParts, yearIsKnown } from "./strptime-conversions.ts";
import { compileSteps, type Steps } from "./strptime-steps.ts";
import type { LocalZone } from "./time-zone.ts";

export interface TimeReaderOptions {
  /** Offset from UTC in seconds of a time that names no zone. */
  readonly offsetSec?: number | undefined;
  /** The zone of a time that names none; goes before `offsetSec`. */
  readonly zone?: LocalZone | undefined;
  /** The zone of every time, also of one that names its own. */
  readonly systemZone?: LocalZone | undefined;
  /** False: what could be read of a time that does not fit the format is taken. Default true. */
  readonly strict?: boolean | undefined;
  /** The present, in seconds, for formats without a year or a day. */
  readonly nowSec: () => number;
}

/** Reads times of one format. */
export interface TimeReader {
  /** Reads a time into {@link sec} and {@link nsec}; false when it does not fit the format. */
  read(text: string): boolean;
  readonly sec: number;
  readonly nsec: number;
  /** A conversion in the format that does not exist: nothing ever matches. */
  readonly unknown: string | undefined;
  /** What the time that was read last shares with those of the same second; `undefined` when that cannot be said. */
  frameOf(text: string): TimeFrame | undefined;
}

/** Characters in front of a time's fraction, and behind it; without a fraction all of it is in front. */
export interface TimeFrame {
  readonly head: number;
  readonly tail: number;
}

/**
 * Compiles a strptime format with `%L` (or `%f`) for a fraction of a second, as Fluent Bit has it: dates in
 * the C locale, a format without a year takes the current one.
 *
 * A reader is fast where it is used: the part of a line's time that comes before the fraction is mostly
 * that of the line before, and is then compared, not parsed.
 */
export function compileStrptime(format: string, options: TimeReaderOptions): TimeReader {
  return new StrptimeReader(format, options);
}

const MAX_FRACTION_DIGITS = 9;
const NSEC_OF_DIGITS = [0, 1e8, 1e7, 1e6, 1e5, 1e4, 1e3, 100, 10, 1];
const NO_TAIL = compileSteps("");

class StrptimeReader implements TimeReader {
  sec = 0;
  nsec = 0;
  readonly unknown: string | undefined;
  private readonly head: Steps;
  private readonly tail: Steps;
  private readonly hasFraction: boolean;
  private readonly hasYear: boolean;
  private readonly strict: boolean;
  private readonly offsetSec: number;
  private readonly zone: LocalZone | undefined;
  private readonly ownZone: boolean;
  private readonly nowSec: () => number;
  private readonly parts = new TimeParts();

  // The text up to the fraction (all of it, without one) that was read last, and its time.
  private readonly headRepeats: boolean;
  private lastHead = "";
  private lastHeadSec = 0;
  private lastHour = 0;
  // The text behind the fraction that was read last, and its offset.
  private lastTail = "\0";
  private lastTailOffset = 0;

  constructor(format: string, options: TimeReaderOptions) {
    const fraction = format.search(/%[Lf]/);
    this.hasFraction = fraction >= 0;
    const head = compileSteps(this.hasFraction ? format.slice(0, fraction) : format);
    this.tail = this.hasFraction ? compileSteps(format.slice(fraction + 2)) : NO_TAIL;
    this.unknown = head.unknown ?? this.tail.unknown;
    this.hasYear = /%[EO]?[YyscDFx]/.test(format);
    this.head = this.hasYear ? head : { ...head, steps: [yearIsKnown, ...head.steps] };
    this.strict = options.strict ?? true;
    this.nowSec = options.nowSec;
    const namesZone = /%z|%Z|%SZ|%S\.%[Lf]Z/.test(format);
    this.offsetSec = namesZone || options.zone !== undefined ? 0 : options.offsetSec ?? 0;
    this.zone = options.systemZone ?? (namesZone ? undefined : options.zone);
    this.ownZone = namesZone && this.zone === undefined;
    this.headRepeats = this.hasFraction && this.head.endsInLiteral && this.tail.zoneOnly;
  }

  read(text: string): boolean {
    const hour = this.hasYear ? 0 : Math.floor(this.nowSec() / 3600);
    if (hour !== this.lastHour) {
      this.lastHour = hour;
      this.lastHead = "";
    }
    if (this.lastHead !== "") {
      if (this.hasFraction) {
        if (text.startsWith(this.lastHead)) {
          this.sec = this.lastHeadSec;
          return this.readFraction(text, this.lastHead.length);
        }
      } else if (text === this.lastHead) {
        this.sec = this.lastHeadSec;
        this.nsec = 0;
        return true;
      }
    }
    return this.readAll(text);
  }

  frameOf(text: string): TimeFrame | undefined {
    const { lastHead, lastTail } = this;
    if (!this.hasYear || lastHead === "" || !text.startsWith(lastHead)) return undefined;
    const [head, tail] = [lastHead.length, this.hasFraction ? lastTail.length : 0];
    if (!this.hasFraction) return text === lastHead ? { head, tail } : undefined;
    const digits = text.slice(head, text.length - tail);
    return text.endsWith(lastTail) && /^\d{1,9}$/.test(digits) ? { head, tail } : undefined;
  }

  private readAll(text: string): boolean {
    const { parts } = this;
    parts.clear();
    if (!this.hasYear) this.startToday();
    this.nsec = 0;
    const end = runSteps(this.head.steps, text, 0, parts);
    if (end < 0) return this.settle(parts.offset);
    if (!this.hasFraction) {
      this.sec = this.toSeconds(this.ownZone ? parts.offset : this.offsetSec);
      this.lastHead = ownText(text);
      this.lastHeadSec = this.sec;
      return true;
    }
    if (this.headRepeats) {
      this.lastHead = ownText(text.slice(0, end));
      this.sec = this.lastHeadSec = this.toSeconds(this.offsetSec);
      return this.readFraction(text, end);
    }
    const behind = this.readDigits(text, end);
    if (behind < 0) return this.settle(parts.offset);
    if (runSteps(this.tail.steps, text, behind, parts) < 0) return this.settle(parts.offset);
    this.sec = this.toSeconds(this.ownZone ? parts.offset : this.offsetSec);
    return true;
  }

  /** The fraction and the zone behind it; `sec` holds the time up to there. */
  private readFraction(text: string, start: number): boolean {
    const end = this.readDigits(text, start);
    if (end < 0) return !this.strict;
    if (text.length - end === this.lastTail.length && text.endsWith(this.lastTail)) {
      this.sec -= this.lastTailOffset;
      return true;
    }
    const read = runSteps(this.tail.steps, text, end, this.parts);
    const offset = this.ownZone ? this.parts.offset : 0;
    this.sec -= offset;
    if (read < 0) return !this.strict;
    this.lastTail = ownText(text.slice(end));
    this.lastTailOffset = offset;
    return true;
  }

  /** Reads up to nine digits as a fraction into `nsec`. Returns the place behind them, or -1. */
  private readDigits(text: string, start: number): number {
    let value = 0;
    let end = start;
    for (const last = start + MAX_FRACTION_DIGITS; end < last; end++) {
      const digit = text.charCodeAt(end) - 48;
      if (!(digit >= 0 && digit <= 9)) break;
      value = value * 10 + digit;
    }
    this.nsec = value * NSEC_OF_DIGITS[end - start]!;
    return end === start ? -1 : end;
  }

  /** The text does not fit: strict readers refuse it, others take what was read so far. */
  private settle(offset: number): boolean {
    this.lastHead = "";
    if (this.strict) return false;
    this.sec = this.toSeconds(offset);
    return this.sec >= 0;
  }

  private startToday(): void {
    const now = this.nowSec();
    const date = new Date((this.zone === undefined ? now : this.zone.toLocal(now)) * 1000);
    this.parts.year = date.getUTCFullYear();
    this.parts.month = date.getUTCMonth() + 1;
    this.parts.day = date.getUTCDate();
  }

  private toSeconds(offset: number): number {
    const { parts, zone } = this;
    const local = parts.epoch >= 0
      ? parts.epoch
      : civilDays(parts.year, parts.month, parts.day) * 86_400 + parts.hour * 3600 +
        parts.minute * 60 + parts.second;
    return zone === undefined ? local - offset : zone.toUtc(local);
  }
}
