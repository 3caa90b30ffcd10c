import { defineInput } from "logcollector/plugin";
import { systemdConfig } from "./systemd/config.ts";
import { JournalInput } from "./systemd/journal-input.ts";

export default defineInput({
  name: "systemd",
  summary: "Follows the systemd journal: reads its files itself, without libsystemd or journalctl",
  config: systemdConfig,
  create: (config, ctx) => new JournalInput(config, ctx),
});
