// Prints how many instructions of the kernels each task of bench/micro.ts takes for a record. A process of its own, because
// the kernels are loaded once.
import { readFileSync } from "node:fs";
import { METER, metered } from "./metered.ts";

Bun.plugin({
  name: "metered kernels",
  setup(build) {
    build.onLoad({ filter: /embedded\/kernels\.txt$/ }, ({ path }) => ({
      exports: { default: metered(readFileSync(path, "utf8")) },
      loader: "object",
    }));
  },
});

const { kernels } = await import("../../src/lib/kernels.ts");
const { lineTasks } = await import("../../bench/micro/line-tasks.ts");
const { readerTasks } = await import("../../bench/micro/reader-tasks.ts");
const { batchTasks } = await import("../../bench/micro/batch-tasks.ts");

const counter = (kernels().call as unknown as Readonly<Record<string, WebAssembly.Global>>)[METER]!;
const counts: Record<string, number> = {};
for (const { name, records, contestants } of [...lineTasks(), ...readerTasks(), ...batchTasks()]) {
  for (const { name: way, run } of contestants) {
    if (!way.includes("kernel")) continue;
    // The first time learns, such as the second that lines are of.
    run();
    const before = counter.value as bigint;
    run();
    counts[name] = Math.round(Number(counter.value as bigint - before) / records);
  }
}
console.log(JSON.stringify(counts, null, 2));
