import { systemClock } from "../../lib/clock.ts";
import type { ChosenLetter } from "./choose-letters.ts";
import { Destination } from "./destination.ts";
import type { OutputMaker } from "./make-outputs.ts";

/** The outputs that letters go to, made when the first letter for them comes. */
export class Destinations {
  private readonly maker: OutputMaker;
  private readonly to: string | undefined;
  private readonly made = new Map<string, Destination | string>();

  constructor(maker: OutputMaker, to: string | undefined) {
    this.maker = maker;
    this.to = to;
  }

  /** Where a letter goes, or why it cannot go anywhere. */
  async of({ header, problem }: ChosenLetter): Promise<Destination | string> {
    if (header === undefined) return problem ?? "it cannot be read";
    const id = this.to ?? header.output;
    if (!this.maker.ids.includes(id)) {
      return `there is no output "${id}" in the configuration any more: --to sends to another one of plugin ${header.plugin}`;
    }
    const known = this.made.get(id);
    if (known !== undefined) return known;
    const made = await this.maker.make(id)
      .then((output) => new Destination(output, systemClock), (error) => (error as Error).message);
    this.made.set(id, made);
    return made;
  }

  async close(): Promise<void> {
    for (const each of this.made.values()) if (typeof each !== "string") await each.close();
  }
}
