import { readdirSync, readFileSync, statSync } from "node:fs";
import { DiskQueue } from "../../../src/buffer/disk/disk-queue.ts";
import { systemDiskFiles } from "../../../src/buffer/disk/files.ts";
import { openQueue } from "../../../src/buffer/disk/open-queue.ts";
import { queueFolderName, type QueueIdentity } from "../../../src/buffer/disk/queue-folder.ts";
import { UsageError } from "../../../src/cli/arguments.ts";
import { queue } from "../../../src/cli/queue/mod.ts";
import { ManualClock, testContext } from "../../support/context.ts";
import { TempFolder } from "../../support/temp-folder.ts";

export interface Filling extends Partial<Omit<QueueIdentity, "id">> {
  readonly payloads?: number;
  /** How many of them were delivered. */
  readonly done?: number;
  readonly segmentBytes?: number;
}

/** A storage folder with queues that a collector left when it was stopped, and the commands for it. */
export class StorageFolder extends TempFolder {
  get queues(): string {
    return this.at("queues");
  }

  /** Makes a queue whose payloads have ten records each, and returns its folder. */
  async fill(
    { output = "http.0", plugin = "http", format = "", payloads = 5, done = 0, segmentBytes = 1e6 }:
      Filling = {},
  ): Promise<string> {
    const identity = { output, plugin, format };
    const folder = `${this.queues}/${queueFolderName(identity)}`;
    systemDiskFiles.makeFolder(this.queues);
    const opened = await openQueue({
      files: systemDiskFiles,
      folder,
      identity,
      newId: () => "ab".repeat(16),
      uid: process.geteuid!(),
    });
    const filled = new DiskQueue({
      files: systemDiskFiles,
      opened,
      clock: new ManualClock(),
      log: testContext().log,
      limitBytes: Infinity,
      policy: "block",
      segmentBytes,
      syncMs: 1000,
      maxInMemory: 3,
      defer: (call) => call(),
      onDone: () => undefined,
      onDiskError: () => undefined,
      onReady: () => undefined,
      onSpace: () => undefined,
      onDrop: () => undefined,
    });
    for (let i = 0; i < payloads; i++) {
      const bytes = Buffer.from(`payload ${i} `.repeat(10));
      filled.push({
        partition: "",
        bytes,
        records: 10,
        attempt: 1,
        holders: [{
          source: "tail.0",
          hold() {},
          release() {},
          logged() {},
          releaseLogged() {},
          unlogged() {},
          claim: () => ({ input: "tail.0", stream: "/var/log/a", position: `${i}`, order: i + 1 }),
        }],
        sources: new Map([["tail.0", 10]]),
        isRecovered: false,
        queuedBytes: bytes.length,
        queuedRecords: 10,
        recycle: () => undefined,
      });
    }
    await filled.settle();
    for (let i = 0; i < done; i++) filled.done(filled.take()!);
    await filled.close();
    return folder;
  }

  /** `logcollector queue …`; a wrong command line comes back as main shows it. */
  async run(...args: string[]): Promise<{ status: number; out: string; err: string }> {
    const written = { out: "", err: "" };
    const io = {
      stdout: (text: string) => void (written.out += text),
      stderr: (text: string) => void (written.err += text),
    };
    try {
      const before = this.everything();
      const status = await queue(args, io);
      if (this.everything() !== before) throw new Error("the command changed something");
      return { status, ...written };
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      return { status: 2, out: "", err: `${error.message}\n` };
    }
  }

  /** Names, times and contents of all files, as one text. */
  private everything(): string {
    const names = readdirSync(this.path, { recursive: true }).map(String).sort();
    return names.map((name) => {
      const path = this.at(name);
      const stat = statSync(path, { throwIfNoEntry: false });
      const content = stat?.isFile() ? readFileSync(path, "base64") : "";
      return `${name} ${stat?.mtimeMs} ${stat?.mode} ${content}`;
    }).join("\n");
  }
}
