import { defineFilter, perRecord } from "logcollector/plugin";
import * as z from "zod";

/** What a user would write in place of a `grep`. */
export default defineFilter({
  name: "bench_user",
  summary: "Drops records of one level.",
  config: z.object({}),
  create: (_, ctx) => perRecord(ctx, (record) => record.body["level"] === "none" ? null : record),
});
