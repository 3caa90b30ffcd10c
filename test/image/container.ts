import { chownSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Collector } from "../support/binary.ts";
import { eventually } from "../support/eventually.ts";
import { TempFolder } from "../support/temp-folder.ts";

const SCRIPT = join(import.meta.dir, "in-container.sh");

/** The image's program at work, with a folder of logs that it may read and one of its own that it may write to. */
export class Container implements AsyncDisposable {
  readonly collector: Collector;
  private readonly folder = new TempFolder();

  constructor(root: string, uid: number, args: readonly string[]) {
    for (const name of ["logs", "state"]) mkdirSync(this.folder.at(name));
    chownSync(this.folder.at("state"), uid, uid);
    writeFileSync(this.folder.at("hosts"), "127.0.0.1 localhost sink.test\n");
    const mounts = [root, ...["logs", "state", "hosts"].map((name) => this.folder.at(name))];
    this.collector = new Collector(args, {
      // The last of them takes the place of the program's path outside.
      via: [
        ...["unshare", "--mount", "--pid", "--net", "--fork", "--kill-child", "--propagation"],
        ...["private", SCRIPT, ...mounts, String(uid)],
      ],
    });
  }

  log(name: string): string {
    return this.folder.at(`logs/${name}`);
  }

  state(name: string): string {
    return this.folder.at(`state/${name}`);
  }

  /** The process inside, by its number outside. */
  get pid(): number {
    const { pid } = this.collector;
    return Number(readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim());
  }

  /** A program beside it, as an exec probe is run. */
  exec(uid: number, args: readonly string[]): { status: number; output: string } {
    const { exitCode, stdout, stderr } = Bun.spawnSync([
      ...["nsenter", "--target", String(this.pid), "--mount", "--pid", "--net", "--root"],
      ...["--setgid", String(uid), "--setuid", String(uid), ...args],
    ]);
    return { status: exitCode, output: `${stdout}${stderr}` };
  }

  /** Asks it to stop, as a runtime does, and returns the exit status. */
  async stop(): Promise<number> {
    process.kill(this.pid, "SIGTERM");
    return await this.collector.exit();
  }

  async started(): Promise<this> {
    await this.collector.untilLog("HTTP server on");
    await eventually(() => this.pid > 0);
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.collector[Symbol.asyncDispose]();
    this.folder[Symbol.dispose]();
  }
}
