// Compiles the one executable. Run by Bun: `npm run build`.
import { existsSync, mkdirSync, readdirSync, statSync } from "node:fs";
import { compile, writeEmbedded } from "./compile.ts";

const OUTFILE = "dist/logcollector";
const SOURCES = ["src", "plugins", "package.json", "package-lock.json", "scripts"];

/** The newest change below a path, in milliseconds since the epoch. */
function newest(path: string): number {
  const stat = statSync(path);
  if (!stat.isDirectory()) return stat.mtimeMs;
  return Math.max(stat.mtimeMs, ...readdirSync(path).map((name) => newest(`${path}/${name}`)));
}

const upToDate = existsSync(OUTFILE) &&
  statSync(OUTFILE).mtimeMs > Math.max(...SOURCES.map(newest));

if (!upToDate) {
  mkdirSync("dist/embedded", { recursive: true });
  try {
    await writeEmbedded();
    await compile({ outfile: OUTFILE });
  } catch (error) {
    console.error(error);
    process.exit(1);
  }
}
const { size } = statSync(OUTFILE);
console.error(`${OUTFILE}: ${(size / 1e6).toFixed(1)} MB${upToDate ? " (up to date)" : ""}`);
