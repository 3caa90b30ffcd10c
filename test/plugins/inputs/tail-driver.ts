import { appendFileSync } from "node:fs";
import tail from "../../../plugins/inputs/tail.ts";
import { InputDriver, type InputDriverOptions } from "../../support/input-driver.ts";

/** Tail as most tests want it: from the head, quick to look again. */
export function startTail(
  options: Record<string, unknown>,
  driver: InputDriverOptions = {},
): InputDriver {
  return new InputDriver(
    tail,
    { read_from_head: true, refresh_interval: "50ms", rotate_wait: "300ms", ...options },
    driver,
  );
}

/** Reads what is there and returns: `exit_on_eof`. */
export async function readAll(
  options: Record<string, unknown>,
  driver: InputDriverOptions = {},
): Promise<InputDriver> {
  const input = startTail({ exit_on_eof: true, ...options }, driver);
  await input.untilReturned(20_000);
  await input.stop();
  return input;
}

/** Numbered lines: what a test counts to see that nothing was lost, doubled or moved. */
export class Numbers {
  next = 0;

  lines(count: number): string {
    let text = "";
    for (let i = 0; i < count; i++) text += `line ${this.next++}\n`;
    return text;
  }

  append(path: string, count: number): void {
    appendFileSync(path, this.lines(count));
  }

  /** All lines so far, in order. */
  get all(): string[] {
    return Array.from({ length: this.next }, (_, i) => `line ${i}`);
  }
}

/** What is wrong with the lines that arrived: nothing, when each is there once and in order. */
export function problemsOf(got: readonly unknown[], expected: readonly string[]): string[] {
  const seen = new Map<unknown, number>();
  for (const line of got) seen.set(line, (seen.get(line) ?? 0) + 1);
  const problems: string[] = [];
  const missing = expected.filter((line) => !seen.has(line));
  const doubled = [...seen].filter(([, count]) => count > 1).map(([line]) => line);
  const known = new Set<unknown>(expected);
  const foreign = got.filter((line) => !known.has(line));
  const say = (what: string, lines: readonly unknown[]) => {
    if (lines.length > 0) problems.push(`${lines.length} ${what}, the first: ${lines[0]}`);
  };
  say("missing", missing);
  say("doubled", doubled);
  say("foreign", foreign);
  if (problems.length > 0) return problems;
  const at = expected.findIndex((line, i) => got[i] !== line);
  if (at !== -1) problems.push(`out of order: ${got[at]} in the place of ${expected[at]}`);
  return problems;
}

/** The same without regard to order. */
export function countProblemsOf(got: readonly unknown[], expected: readonly string[]): string[] {
  return problemsOf(got, expected).filter((problem) => !problem.startsWith("out of order"));
}
