// Compiles the one executable. Run by Bun: `npm run build`. With --platform and --outfile: for another machine. With
// --compact: for an image.
import { existsSync, mkdirSync, readdirSync, statSync } from "node:fs";
import { parseArgs } from "node:util";
import { compile, writeEmbedded } from "./compile.ts";
import { compileOptions, platformOf } from "./platforms.ts";

const SOURCES = ["src", "plugins", "package.json", "package-lock.json", "scripts"];

const { values: options } = parseArgs({
  options: {
    platform: { type: "string" },
    outfile: { type: "string", default: "dist/logcollector" },
    compact: { type: "boolean", default: false },
  },
});
const { platform, outfile, compact } = options;

/** The newest change below a path, in milliseconds since the epoch. */
function newest(path: string): number {
  const stat = statSync(path);
  if (!stat.isDirectory()) return stat.mtimeMs;
  return Math.max(stat.mtimeMs, ...readdirSync(path).map((name) => newest(`${path}/${name}`)));
}

// For another platform the file may be anything.
const upToDate = platform === undefined && !compact && existsSync(outfile) &&
  statSync(outfile).mtimeMs > Math.max(...SOURCES.map(newest));

if (!upToDate) {
  mkdirSync("dist/embedded", { recursive: true });
  try {
    await writeEmbedded();
    const options = platform === undefined
      ? { outfile }
      : await compileOptions(platformOf(platform), outfile);
    await compile({ ...options, compact });
  } catch (error) {
    console.error(error);
    process.exit(1);
  }
}
const { size } = statSync(outfile);
console.error(`${outfile}: ${(size / 1e6).toFixed(1)} MB${upToDate ? " (up to date)" : ""}`);
