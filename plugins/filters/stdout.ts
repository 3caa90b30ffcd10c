import { defineFilter, formatRecordText } from "logcollector/plugin";
import { promisify } from "node:util";
import * as z from "zod";

const write = promisify((text: string, done: (error?: Error | null) => void) =>
  process.stdout.write(text, done)
);

export default defineFilter({
  name: "stdout",
  summary: "Prints every record and passes it on.",
  config: z.object({}),
  create() {
    return {
      async process(batch) {
        let text = "";
        batch.records.forEach((record, index) => {
          text += `${formatRecordText(index, batch.tag, record, "flat")}\n`;
        });
        // Waiting for the reader of a pipe keeps what it has not read yet out of memory.
        await write(text);
        return batch;
      },
    };
  },
});
