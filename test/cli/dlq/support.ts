import { type DeadLetter } from "../../../src/buffer/dead-letters/letter.ts";
import { listLetters } from "../../../src/buffer/dead-letters/letter-folder.ts";
import { writeLetter } from "../../../src/buffer/dead-letters/write-letter.ts";
import { systemDiskFiles } from "../../../src/buffer/disk/files.ts";
import { UsageError } from "../../../src/cli/arguments.ts";
import { dlq } from "../../../src/cli/dlq/mod.ts";
import { letter } from "../../buffer/dead-letters/letters.ts";
import { TempFolder } from "../../support/temp-folder.ts";

/** What a command wrote, and its status. */
export interface Written {
  readonly status: number;
  readonly out: string;
  readonly err: string;
}

/** A folder of dead letters, and the commands for it. */
export class DlqFolder extends TempFolder {
  /** Sends the command under way a signal. */
  stop: () => void = () => undefined;
  private seconds = Date.parse("2026-11-22T14:05:00Z") / 1000;

  get letters(): string {
    return this.at("rejected");
  }

  get ids(): string[] {
    return listLetters(systemDiskFiles, this.letters).letters.map(({ id }) => id);
  }

  /** Puts a letter into it, a second younger than the one before, and returns its id. */
  add(given: Partial<DeadLetter> & { readonly text?: string } = {}): Promise<string> {
    return this.addAt(this.seconds++ * 1000, given);
  }

  /** The same for a letter of a certain time. */
  async addAt(timeMs: number, given: Parameters<DlqFolder["add"]>[0] = {}): Promise<string> {
    systemDiskFiles.makeFolder(this.letters);
    return (await writeLetter(systemDiskFiles, this.letters, letter(given), timeMs)).id;
  }

  /** `logcollector dlq …`; a wrong command line comes back as main shows it. */
  async run(...args: string[]): Promise<Written & { readonly bytes: Uint8Array }> {
    const written = { out: "", err: "" };
    const bytes: Uint8Array[] = [];
    let status: number;
    try {
      status = await dlq(args, {
        stdout: (text) => void (written.out += text),
        stderr: (text) => void (written.err += text),
        stdoutBytes: (part) => void bytes.push(part.slice()),
        onStop: (call) => this.stop = () => call("SIGTERM"),
      });
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      status = 2;
      written.err += `${error.message}\n`;
    }
    return { ...written, status, bytes: Buffer.concat(bytes) };
  }

  /** The same for the folder of letters. */
  runHere(...args: string[]): ReturnType<DlqFolder["run"]> {
    return this.run(...args, "--path", this.letters);
  }
}
