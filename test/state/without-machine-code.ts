// Runs a script in a process that may not make machine code, as `MemoryDenyWriteExecute` of a service manager has it.
import { dlopen } from "bun:ffi";

const PR_SET_MDWE = 65;
const REFUSE_EXEC_GAIN = 1;
const { prctl } = dlopen("libc.so.6", {
  prctl: { args: ["i32", "u64", "u64", "u64", "u64"], returns: "i32" },
}).symbols;
if (prctl(PR_SET_MDWE, REFUSE_EXEC_GAIN, 0, 0, 0) !== 0) {
  console.log("unavailable");
  process.exit(0);
}
const child = Bun.spawn([process.execPath, ...process.argv.slice(2)], {
  stdio: ["inherit", "inherit", "inherit"],
});
process.on("SIGTERM", () => child.kill("SIGKILL"));
await child.exited;
