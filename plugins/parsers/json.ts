import { defineParser, parseJsonObject } from "logcollector/plugin";
import * as z from "zod";

export default defineParser({
  name: "json",
  summary: "Reads a line that is one JSON object.",
  config: z.object({}),
  create: () => ({ parse: parseJsonObject }),
});
