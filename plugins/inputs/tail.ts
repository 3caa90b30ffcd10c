import { defineInput } from "logcollector/plugin";
import { tailConfig } from "./tail/config.ts";
import { Tailer } from "./tail/tailer.ts";

export default defineInput({
  name: "tail",
  summary: "Follows text files through rotation, truncation and deletion",
  config: tailConfig,
  sharded: true,
  create: (config, ctx) => new Tailer(config, ctx),
});
