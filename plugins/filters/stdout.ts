import { defineFilter, escapeControls, formatRecordText } from "logcollector/plugin";
import * as z from "zod";

export default defineFilter({
  name: "stdout",
  alone: true,
  summary: "Prints every record and passes it on.",
  config: z.object({}),
  create(_config, ctx) {
    // Without a listener the reader's leaving would end the process.
    if (!process.stdout.listeners("error").includes(ignore)) process.stdout.on("error", ignore);
    // Waiting for the reader of a pipe keeps what it has not read yet out of memory.
    const print = (text: string) =>
      new Promise<void>((resolve) =>
        process.stdout.write(text, (error) => {
          if (error) ctx.log.warn(`Cannot print: ${error.message}`);
          // What cannot be printed is passed on all the same: it is only shown here.
          resolve();
        })
      );
    return {
      async process(batch) {
        let text = "";
        batch.records.forEach((record, index) => {
          text += `${formatRecordText(index, batch.tag, record, "flat")}\n`;
        });
        await print(process.stdout.isTTY ? escapeControls(text) : text);
        return batch;
      },
    };
  },
});

/** One for all instances: the stream outlives them. */
function ignore(): void {}
