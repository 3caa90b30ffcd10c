// Opens a file of positions, or locks any file, says so or why not, and holds it until it is killed.
import { CheckpointFile } from "../../src/state/checkpoint-file.ts";
import { lockFile } from "../../src/state/file-lock.ts";

const [, , what, path] = process.argv;
const log = { error() {}, warn() {}, info() {}, debug() {} };
try {
  if (what === "lock") lockFile(path!);
  else {
    const file = CheckpointFile.open({
      path: path!,
      owner: "",
      plugin: "tail",
      log,
      nowMs: () => 0,
    });
    file.commit(new Map([["held", { position: "1", order: 1 }]]), new Set(), false);
  }
  console.log("held");
  setInterval(() => log, 1000);
} catch (error) {
  console.log((error as Error).message);
}
