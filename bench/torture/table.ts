import type { Verdict } from "./judge.ts";

interface Row {
  readonly name: string;
  readonly verdicts: readonly Verdict[];
}

/** A table in Markdown: of each program how many lines were lost / doubled / damaged / out of order. */
export function tableOf(names: readonly string[], rows: readonly Row[]): string {
  const head = ["what happens", "lines", ...names];
  const body = rows.map(({ name, verdicts }) => [
    name,
    String(verdicts[0]!.written),
    ...verdicts.map(cellOf),
  ]);
  const all = [head, head.map(() => "-"), ...body];
  return all.map((cells) => `| ${cells.join(" | ")} |`).join("\n") + "\n";
}

function cellOf({ lost, doubled, damaged, unordered }: Verdict): string {
  return [lost, doubled, damaged, unordered].join(" / ");
}
