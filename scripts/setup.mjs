// Installs the dependencies when the lock file says something else than what is installed.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import process from "node:process";

const STAMP = "node_modules/.logcollector-stamp";

const wanted = createHash("sha256").update(readFileSync("package-lock.json")).digest("hex");
const installed = existsSync(STAMP) ? readFileSync(STAMP, "utf8") : "";
if (wanted !== installed) {
  console.error("Installing dependencies …");
  // Not `npm ci`: it refuses a lock file that does not name the binaries of every platform.
  // With --no-save the versions and hashes of the lock file hold all the same, and it stays as it is.
  const { status, error } = spawnSync(
    "npm",
    ["install", "--no-save", "--no-audit", "--no-fund", "--loglevel=error"],
    { stdio: ["ignore", 2, 2] },
  );
  if (status === 0) writeFileSync(STAMP, wanted);
  else {
    console.error(`Cannot install the dependencies: ${error?.message ?? "npm says why above"}`);
    process.exitCode = 1;
  }
}
