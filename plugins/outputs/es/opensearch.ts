import { defineOutput } from "logcollector/plugin";
import * as z from "zod";
import { bulkOutput } from "./bulk-output.ts";
import { opensearchFields } from "./config.ts";

export default defineOutput({
  name: "opensearch",
  summary: "Sends records to OpenSearch, many in one request.",
  config: z.object(opensearchFields),
  create: (config, ctx) => bulkOutput(config, ctx, { hasTemplate: true }),
});
