import { join } from "node:path";
import { eventually } from "../support/eventually.ts";
import type { SystemdMachine } from "../support/systemd-machine.ts";

export interface Delivery {
  readonly authorization: string | null;
  readonly records: readonly Record<string, unknown>[];
}

/** A server on a machine's loopback that takes what is delivered. */
export class MachineSink {
  readonly deliveries: Delivery[] = [];
  port = 0;
  private text = "";
  private readonly process: Bun.Subprocess<"ignore", "pipe", "inherit">;

  private constructor(machine: SystemdMachine) {
    const script = join(import.meta.dir, "sink.ts");
    this.process = Bun.spawn([...machine.inNetwork, process.execPath, script], {
      stdin: "ignore",
      stdout: "pipe",
      stderr: "inherit",
    });
    void this.follow();
  }

  static async start(machine: SystemdMachine): Promise<MachineSink> {
    const sink = new MachineSink(machine);
    await eventually(() => sink.port !== 0, () => "the sink listens", 30_000);
    return sink;
  }

  get records(): readonly Record<string, unknown>[] {
    return this.deliveries.flatMap(({ records }) => records);
  }

  /** Messages of the journal and lines of files, in the order of their arrival. */
  get texts(): readonly string[] {
    return this.records.map(({ MESSAGE, log }) => String(MESSAGE ?? log));
  }

  async untilText(text: string, describe: () => string): Promise<void> {
    await eventually(
      () => this.texts.includes(text),
      () => `"${text}" arrives; there are ${JSON.stringify(this.texts)}; ${describe()}`,
      30_000,
    );
  }

  async stop(): Promise<void> {
    this.process.kill();
    await this.process.exited;
  }

  private async follow(): Promise<void> {
    const decoder = new TextDecoder();
    for await (const chunk of this.process.stdout) {
      this.text += decoder.decode(chunk, { stream: true });
      const lines = this.text.split("\n");
      this.text = lines.pop()!;
      for (const line of lines) this.take(JSON.parse(line));
    }
  }

  private take(line: { port?: number; authorization: string | null; body: string }): void {
    if (line.port !== undefined) this.port = line.port;
    else {
      const records = line.body.split("\n").filter(Boolean).map((each) => JSON.parse(each));
      this.deliveries.push({ authorization: line.authorization, records });
    }
  }
}
