// Started by tail-child.ts: runs tail with the options of its argument, and prints what happens as JSON.
import { readdirSync } from "node:fs";
import { startTail } from "./tail-driver.ts";

const say = (event: object) => void process.stdout.write(`${JSON.stringify(event)}\n`);
const log = (message: string) => say({ message });
const input = startTail(JSON.parse(process.argv[2]!), {
  ctx: { log: { error: log, warn: log, info: log, debug: log } },
  emit(batch) {
    for (const { body } of batch.records) say({ value: body.log });
    say({ open: readdirSync("/proc/self/fd").length });
    return undefined;
  },
});
await input.untilReturned(60_000);
