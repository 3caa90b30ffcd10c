import { type Body, ConfigError, defineParser, field, setField } from "logcollector/plugin";
import * as z from "zod";

export default defineParser({
  name: "pipe_separated",
  summary: "Reads lines such as `2024-01-02 03:04:05|INFO|billing|took=12ms user=ann|paid`.",
  config: z.object({
    columns: field.list().default(["time", "level", "module", "pairs", "message"]).describe(
      "Names of the columns; `pairs` is taken apart at spaces and `=`",
    ),
  }),
  create({ columns }) {
    if (columns.length === 0) throw new ConfigError("name at least one column", "columns");
    return {
      parse(line) {
        const cells = line.split("|");
        if (cells.length < columns.length) return null;
        // The last column keeps the bars that are left.
        cells.push(cells.splice(columns.length - 1).join("|"));
        const body: Body = {};
        columns.forEach((name, i) => {
          const cell = cells[i]!.trim();
          if (name === "pairs") addPairs(body, cell);
          else if (cell !== "") setField(body, name, cell);
        });
        return body;
      },
    };
  },
});

function addPairs(body: Body, cell: string): void {
  for (const pair of cell.split(/\s+/)) {
    const at = pair.indexOf("=");
    if (at > 0) setField(body, pair.slice(0, at), pair.slice(at + 1));
  }
}
