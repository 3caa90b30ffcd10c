// Holds a file of positions until it is killed.
import { CheckpointFile } from "../../src/state/checkpoint-file.ts";

const log = { error() {}, warn() {}, info() {}, debug() {} };
const file = CheckpointFile.open({ path: process.argv[2]!, owner: "", log, nowMs: () => 0 });
file.commit(new Map([["held", { position: "1", order: 1 }]]), new Set(), false);
console.log("held");
setInterval(() => file.saved, 1000);
