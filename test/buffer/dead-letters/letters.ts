import {
  DeadLetterStore,
  type DeadLetterStoreOptions,
} from "../../../src/buffer/dead-letters/dead-letter-store.ts";
import type { DeadLetter } from "../../../src/buffer/dead-letters/letter.ts";
import { listLetters } from "../../../src/buffer/dead-letters/letter-folder.ts";
import { type ReadLetter, readLetter } from "../../../src/buffer/dead-letters/read-letter.ts";
import type { DiskFiles } from "../../../src/buffer/disk/files.ts";
import { ManualClock, testContext } from "../../support/context.ts";

/** A letter with ten records of an output over HTTP, but for what is given. */
export function letter(given: Partial<DeadLetter> & { readonly text?: string } = {}): DeadLetter {
  const { text = '{"log":"one"}\n', ...rest } = given;
  return {
    output: "http.0",
    plugin: "http",
    format: "json_lines",
    partition: "",
    bytes: Buffer.from(text),
    records: 10,
    reason: "refused",
    message: "Cannot post to 127.0.0.1:80: status is 400",
    attempts: 1,
    ...rest,
  };
}

/** A store over a folder, under a clock that the test moves. */
export class StoreDriver {
  readonly clock = new ManualClock();
  readonly removed: string[] = [];
  readonly files: DiskFiles;
  readonly folder: string;
  private readonly context = testContext();

  constructor(files: DiskFiles, folder: string) {
    this.files = files;
    this.folder = folder;
  }

  open(given: Partial<DeadLetterStoreOptions> = {}): Promise<DeadLetterStore> {
    return DeadLetterStore.open({
      files: this.files,
      folder: this.folder,
      clock: this.clock,
      log: this.context.log,
      limitBytes: Infinity,
      maxAgeMs: Infinity,
      onRemoved: (records, reason) => void this.removed.push(`${records} ${reason}`),
      ...given,
    });
  }

  /** Keeps a letter, a second after the one before. */
  async keep(store: DeadLetterStore, text: string): Promise<void> {
    this.clock.advance(1000);
    await store.keep(letter({ text }));
  }

  get messages(): string[] {
    return this.context.logged.map(({ level, message }) => `${level}: ${message}`);
  }

  get ids(): string[] {
    return listLetters(this.files, this.folder).letters.map(({ id }) => id);
  }

  get names(): string[] {
    return this.files.list(this.folder).map(({ name }) => name).sort();
  }

  read(id: string): ReadLetter {
    return readLetter(this.files, this.folder, id);
  }

  /** The texts of all letters, the oldest first. */
  get texts(): string[] {
    return this.ids.map((id) => this.read(id).bytes.toString());
  }
}
