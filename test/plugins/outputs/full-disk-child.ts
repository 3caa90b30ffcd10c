import file from "../../../plugins/outputs/file.ts";
import { bodies, driveOutput } from "./output-driver.ts";

// Run by file.test.ts under a limit on the size of files.
const output = driveOutput(file, { path: process.argv[2], file: "out", format: "plain" });
await output.write(bodies({ n: 1 }));
const failed = await output.write(bodies({ long: "x".repeat(3000) }))
  .then(() => "nothing", (error: NodeJS.ErrnoException) => error.code);
await output.output.close?.();
console.log(JSON.stringify({ failed }));
