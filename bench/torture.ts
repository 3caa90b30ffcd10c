// Does to log files, collectors and destinations what happens to them, and counts what arrives. `npm run torture -- --help`.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Contender, fluentBit, OURS, type Product } from "./torture/contender.ts";
import {
  CONTENT_SCENARIOS,
  IDENTITY_SCENARIOS,
  ROTATION_SCENARIOS,
} from "./torture/file-scenarios.ts";
import type { Verdict } from "./torture/judge.ts";
import { MIXED } from "./torture/mixed.ts";
import { Plan } from "./torture/plan.ts";
import { PROCESS_SCENARIOS } from "./torture/process-scenarios.ts";
import { run } from "./torture/run.ts";
import type { Scenario } from "./torture/scenario.ts";
import { tableOf } from "./torture/table.ts";

const HELP = `npm run torture -- [options]

  --peer fluent-bit=PATH  a Fluent Bit binary that goes through the same, at the same time
  --seed N                of the scenarios (default 1)
  --mixed N,N,…           seeds of the runs in which everything happens at once (default 1,2,3,4,5)
  --only TEXT             only scenarios whose name contains TEXT
  --table FILE            writes the tables there too
  --folder PATH           where everything is written, and stays when something was wrong (default: a temporary folder)
  --keep                  what was written stays anyway
`;

const { values: options } = parseArgs({
  options: {
    peer: { type: "string" },
    seed: { type: "string", default: "1" },
    mixed: { type: "string", default: "1,2,3,4,5" },
    only: { type: "string", default: "" },
    table: { type: "string" },
    folder: { type: "string", default: tmpdir() },
    keep: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});

interface Row {
  readonly name: string;
  readonly verdicts: readonly Verdict[];
}

function products(): Product[] {
  if (options.peer === undefined) return [OURS];
  const [name, path] = options.peer.split("=");
  if (name !== "fluent-bit" || path === undefined) {
    throw new Error(`Cannot run the peer "${options.peer}": expected fluent-bit=PATH`);
  }
  return [OURS, fluentBit(path)];
}

/** All rows of one call, and the folder in which they are played. */
class Session {
  readonly rows: Row[] = [];
  /** Nothing was wrong with this program. */
  isClean = true;
  readonly products = products();
  private readonly folder = mkdtempSync(join(options.folder, "logcollector-torture-"));
  private contenders: readonly Contender[] = [];

  async play(scenario: Scenario, seed: number, name: string): Promise<void> {
    const plan = new Plan(seed);
    scenario.plan(plan);
    const own = `${this.rows.length + 1}-${name.replaceAll(/[^A-Za-z0-9]+/g, "-")}`;
    this.contenders = this.products.map((product) =>
      new Contender(product, join(this.folder, own, product.isPeer ? "peer" : "ours"), plan)
    );
    try {
      await run(scenario, plan, this.contenders);
    } finally {
      await this.end();
    }
    const verdicts = this.contenders.map(({ judge }) => judge.verdict());
    this.rows.push({ name, verdicts });
    console.log(`${name}, seed ${seed}: ${plan.written} lines`);
    this.contenders.forEach((contender, i) => tell(contender, verdicts[i]!));
    const { lost, doubled, damaged, unordered } = verdicts[0]!;
    const faults = lost + doubled + damaged + unordered + this.contenders[0]!.remarks.length;
    if (faults > 0) this.isClean = false;
    else if (!options.keep) rmSync(join(this.folder, own), { recursive: true, force: true });
  }

  /** Ends the processes of the row that is played. */
  async end(): Promise<void> {
    for (const contender of this.contenders) await contender[Symbol.asyncDispose]();
  }

  close(): void {
    const table = tableOf(this.products.map(({ name }) => name), this.rows);
    console.log(`\n${table}`);
    if (options.table !== undefined) writeFileSync(options.table, table);
    if (this.isClean && !options.keep) rmSync(this.folder, { recursive: true, force: true });
    else console.log(`Files and logs are in ${this.folder}`);
  }
}

function tell({ product, remarks }: Contender, verdict: Verdict): void {
  const { lost, doubled, excused, damaged, unordered, examples } = verdict;
  console.log(
    `  ${product.name}: lost ${lost}, doubled ${doubled} (and ${excused} that nobody can know of), damaged ${damaged}, out of order ${unordered}`,
  );
  for (const each of [...examples, ...remarks]) console.log(`    ${each}`);
}

async function main(): Promise<void> {
  if (options.help) return console.log(HELP);
  const session = new Session();
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => void session.end().then(() => process.exit(1)));
  }
  const scenarios = [
    ...CONTENT_SCENARIOS,
    ...ROTATION_SCENARIOS,
    ...IDENTITY_SCENARIOS,
    ...PROCESS_SCENARIOS,
  ];
  const isWanted = ({ name }: Scenario) => name.includes(options.only);
  for (const scenario of scenarios.filter(isWanted)) {
    await session.play(scenario, Number(options.seed), scenario.name);
  }
  for (const seed of isWanted(MIXED) ? options.mixed.split(",").map(Number) : []) {
    await session.play(MIXED, seed, `${MIXED.name}, seed ${seed}`);
  }
  session.close();
  process.exit(session.isClean ? 0 : 1);
}

await main();
