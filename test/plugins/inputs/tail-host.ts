import { appendFileSync, renameSync } from "node:fs";
import { eventually } from "../../support/eventually.ts";
import type { InputDriver, InputDriverOptions } from "../../support/input-driver.ts";
import { TempFolder } from "../../support/temp-folder.ts";
import { startTail } from "./tail-driver.ts";

/** A folder with a collector that is stopped and started again over it. */
export class Host implements Disposable {
  readonly folder = new TempFolder();
  readonly positions = new Map<string, string>();
  readonly options: Record<string, unknown>;
  private readonly driver: InputDriverOptions;

  constructor(options: Record<string, unknown> = {}, driver: InputDriverOptions = {}) {
    this.options = { path: this.at("app.log"), ...options };
    this.driver = driver;
  }

  at(name: string): string {
    return this.folder.at(name);
  }

  write(name: string, text: string): void {
    appendFileSync(this.at(name), text);
  }

  rename(from: string, to: string): void {
    renameSync(this.at(from), this.at(to));
  }

  start(options: Record<string, unknown> = {}, driver: InputDriverOptions = {}): InputDriver {
    const { positions } = this;
    return startTail({ ...this.options, ...options }, { positions, ...this.driver, ...driver });
  }

  /** Runs until it has read so many lines, or, for none, for a moment; returns them. */
  async run(lines: number, options: Record<string, unknown> = {}): Promise<unknown[]> {
    await using input = this.start(options);
    if (lines > 0) await input.untilRecords(lines);
    const opened = () => input.ctx.counters.get("input_files_opened_total")!.value;
    if (lines === 0) await eventually(() => opened() > 0, () => "a file is opened");
    await Bun.sleep(30);
    return input.values();
  }

  [Symbol.dispose](): void {
    this.folder[Symbol.dispose]();
  }
}
