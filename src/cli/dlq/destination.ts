import type { LetterHeader } from "../../buffer/dead-letters/letter.ts";
import type { ReadLetter } from "../../buffer/dead-letters/read-letter.ts";
import type { Clock } from "../../sdk/context.ts";
import type { MadeOutput } from "./make-outputs.ts";
import { sendLetter, type SendOptions, type SendResult } from "./send-letter.ts";

/** After so many letters in a row that did not arrive, the others are not tried. */
const MAX_FAILURES = 3;
/** How long an output may take to close, in milliseconds. */
const CLOSE_MS = 2000;

/** An output that letters are sent to. */
export class Destination {
  private readonly made: MadeOutput;
  private readonly clock: Clock;
  private opened: Promise<void> | undefined;
  private failuresInRow = 0;

  constructor(made: MadeOutput, clock: Clock) {
    this.made = made;
    this.clock = clock;
  }

  get id(): string {
    return this.made.id;
  }

  /** Why this output cannot take a letter, if it cannot: the bytes mean nothing to another plugin or in another form. */
  unfitFor({ plugin, format }: LetterHeader): string | undefined {
    const { id, made } = this;
    if (plugin !== made.plugin) {
      return `it is for the plugin ${plugin}, and output "${id}" is of ${made.plugin}`;
    }
    if (format === made.format) return undefined;
    const name = (text: string) => text === "" ? "its only format" : `format ${text}`;
    return `it is in ${name(format)}, and output "${id}" sends ${name(made.format)}`;
  }

  async send(
    letter: ReadLetter,
    on: Pick<SendOptions, "signal" | "onRest" | "onRefused" | "onLost">,
  ): Promise<SendResult> {
    const { id, clock, made: { output } } = this;
    if (this.failuresInRow >= MAX_FAILURES) {
      return { kind: "failed", message: `not tried, as output "${id}" does not get on` };
    }
    const result = await sendLetter(letter, {
      output,
      open: (attempt) => this.open(attempt),
      clock,
      ...on,
    });
    this.failuresInRow = result.kind === "failed" ? this.failuresInRow + 1 : 0;
    return result;
  }

  async close(): Promise<void> {
    try {
      const closing = Promise.resolve(this.made.output.close?.());
      await Promise.race([closing, this.clock.sleep(CLOSE_MS)]);
    } catch {
      // Everything that was to arrive has arrived.
    }
  }

  private open(signal: AbortSignal): Promise<void> {
    this.opened ??= Promise.resolve(this.made.output.open?.(signal)).catch((error) => {
      this.opened = undefined;
      throw error;
    });
    return this.opened;
  }
}
