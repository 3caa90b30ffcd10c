import { join } from "node:path";

const SCRIPT = join(import.meta.dir, "hold-file.ts");
const WITHOUT_MACHINE_CODE = join(import.meta.dir, "without-machine-code.ts");

export interface HolderOptions {
  /** Who it runs as. Only root can choose; anybody else is that user already. */
  readonly user?: string;
  /** It may not make machine code, and so cannot call the C library. */
  readonly withoutMachineCode?: boolean;
}

/** A process that holds a file of positions (`open`) or a lock (`lock`), or says why it cannot. */
export class Holder implements AsyncDisposable {
  private readonly child: Bun.Subprocess<"ignore", "pipe", "inherit">;
  /** `held`, or what was in the way, or `unavailable` for an option that cannot be had here. */
  readonly said: Promise<string>;

  constructor(what: "open" | "lock", path: string, options: HolderOptions = {}) {
    const { user, withoutMachineCode = false } = options;
    const become = user !== undefined && process.getuid?.() === 0
      ? ["setpriv", `--reuid=${user}`, "--clear-groups", "--"]
      : [];
    const script = [...(withoutMachineCode ? [WITHOUT_MACHINE_CODE] : []), SCRIPT];
    this.child = Bun.spawn([...become, process.execPath, ...script, what, path], {
      stdin: "ignore",
      stdout: "pipe",
      stderr: "inherit",
    });
    this.said = this.read();
  }

  get pid(): number {
    return this.child.pid;
  }

  /** Ends it as kill -9 does. */
  async kill(signal: NodeJS.Signals = "SIGKILL"): Promise<void> {
    this.child.kill(signal);
    await this.child.exited;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill("SIGKILL");
  }

  private async read(): Promise<string> {
    const { value } = await this.child.stdout.getReader().read();
    return Buffer.from(value ?? []).toString().trim();
  }
}
