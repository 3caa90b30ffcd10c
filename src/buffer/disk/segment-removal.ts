import type { CursorFile } from "./cursor.ts";
import type { Segment } from "./segment.ts";
import type { SegmentLog } from "./segment-log.ts";

export interface SegmentRemovalOptions {
  readonly log: SegmentLog;
  readonly cursorFile: CursorFile;
  /** False when the cursor's file does not say how far the queue was emptied, and cannot be made to. */
  readonly cursorIsWritten: () => boolean;
  readonly onRemoved: () => void;
  readonly onError: (error: unknown) => void;
}

/** Takes segments away whose entries are done with, and whose positions were written down elsewhere. */
export class SegmentRemoval {
  private readonly options: SegmentRemovalOptions;
  private running: Promise<unknown> = Promise.resolve();
  private isClosed = false;

  constructor(options: SegmentRemovalOptions) {
    this.options = options;
  }

  async remove(segments: readonly Segment[]): Promise<void> {
    if (this.isClosed) return;
    const removal = this.attempt(segments);
    this.running = Promise.all([this.running, removal]);
    await removal;
  }

  /** Removes these, and nothing any more once it has resolved: then the cursor's file may be closed. */
  async close(segments: readonly Segment[]): Promise<void> {
    this.isClosed = true;
    await this.running;
    await this.attempt(segments);
  }

  private async attempt(segments: readonly Segment[]): Promise<void> {
    const { log, cursorFile, cursorIsWritten, onRemoved, onError } = this.options;
    // First the cursor: a segment that is missing behind it would look like a loss.
    if (segments.length === 0 || !cursorIsWritten()) return;
    try {
      await cursorFile.sync();
      for (const segment of segments) log.remove(segment);
      onRemoved();
    } catch (error) {
      onError(error);
    }
  }
}
