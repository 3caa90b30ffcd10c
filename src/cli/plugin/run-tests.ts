import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { type CommandIo, EXIT } from "../command-io.ts";
import { readAuthorModules } from "./embedded.ts";
import { testFilesAt } from "./plugin-files.ts";
import preload from "./templates/preload.txt" with { type: "text" };

/**
 * `logcollector plugin test [PATH]`: runs the tests of plugins with the test runner that is part of the executable.
 * Gives the runner's exit status.
 */
export async function testPlugins(paths: readonly string[], io: CommandIo): Promise<number> {
  const files: string[] = [];
  for (const path of paths) {
    try {
      files.push(...testFilesAt(path));
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      const reason = code === "ENOENT" ? "it does not exist" : message;
      io.stderr(`logcollector: cannot test ${path}: ${reason}\n`);
      return EXIT.usage;
    }
  }
  if (files.length === 0) {
    const where = paths.map((path) => path === "." ? "this folder" : path).join(", ");
    io.stderr(
      `logcollector: found no test in ${where}: the name of a file with tests ends in .test.ts\n`,
    );
    return EXIT.failed;
  }
  const folder = mkdtempSync(join(tmpdir(), "logcollector-plugin-test-"));
  const remove = () => rmSync(folder, { recursive: true, force: true });
  // However this process ends, the folder goes.
  process.on("exit", remove);
  try {
    const preloadPath = join(folder, "preload.mjs");
    writeFileSync(join(folder, "modules.mjs"), await readAuthorModules());
    writeFileSync(preloadPath, preload);
    return await runTests(preloadPath, [...new Set(files.map((file) => resolve(file)))]);
  } catch (error) {
    io.stderr(`logcollector: cannot run the tests from ${folder}: ${(error as Error).message}\n`);
    return EXIT.failed;
  } finally {
    remove();
    process.off("exit", remove);
  }
}

/** The executable is also the runtime that it was made with, which has a test runner. */
async function runTests(preload: string, files: readonly string[]): Promise<number> {
  const child = Bun.spawn([process.execPath, "test", "--preload", preload, ...files], {
    env: { ...process.env, BUN_BE_BUN: "1" },
    stdio: ["inherit", "inherit", "inherit"],
  });
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  const pass = (signal: NodeJS.Signals) => child.kill(signal);
  for (const signal of signals) process.on(signal, pass);
  try {
    return await child.exited;
  } finally {
    for (const signal of signals) process.off(signal, pass);
  }
}
