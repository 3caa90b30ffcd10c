import type { Logger } from "logcollector/plugin";
import type { ScanResult } from "./scan.ts";

/** Says once of each pattern that it finds more than is looked at or followed, and again when it did not meanwhile. */
export class ScanLimits {
  private readonly log: Logger;
  private readonly maxFiles: number;
  private readonly said = new Set<string>();

  constructor(log: Logger, maxFiles: number) {
    this.log = log;
    this.maxFiles = maxFiles;
  }

  report({ cut, leftAlone }: Pick<ScanResult, "cut" | "leftAlone">): void {
    this.say(
      "scan_limit",
      cut,
      (pattern, names) =>
        `Looked at ${names} names for ${pattern} and stopped, as scan_limit says: files beyond them are not found. ` +
        "Make path narrower, or raise scan_limit",
    );
    this.say(
      "max_files",
      leftAlone,
      (pattern, names) =>
        `Cannot follow more files than the ${this.maxFiles} that max_files allows: ${names} further names match ` +
        `${pattern}. Make path narrower, leave files out with exclude_path, or raise max_files`,
    );
  }

  private say(
    limit: string,
    patterns: ReadonlyMap<string, number>,
    message: (pattern: string, names: number) => string,
  ): void {
    const prefix = `${limit} `;
    for (const said of this.said) {
      if (said.startsWith(prefix) && !patterns.has(said.slice(prefix.length))) {
        this.said.delete(said);
      }
    }
    for (const [pattern, names] of patterns) {
      if (this.said.has(prefix + pattern)) continue;
      this.said.add(prefix + pattern);
      this.log.warn(message(pattern, names));
    }
  }
}
