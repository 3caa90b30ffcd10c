import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A new folder of its own for one test, taken away with everything in it by `using`. */
export class TempFolder implements Disposable {
  readonly path: string = mkdtempSync(join(tmpdir(), "logcollector-test-"));

  /** The path of a name in the folder. */
  at(name: string): string {
    return join(this.path, name);
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}
