import { defineFilter, field } from "logcollector/plugin";
import { hostname, platform, release, version } from "node:os";
import * as z from "zod";

/** The version of Fluent Bit whose behaviour this collector follows. */
const FLUENT_BIT_VERSION = "5.1.1";

const OS_NAMES: Readonly<Record<string, string>> = { darwin: "macos", win32: "win64" };

const config = z.object({
  fluentbit_version_key: field.fieldName().optional()
    .describe("Field to set to the version of Fluent Bit that this collector is compatible with"),
  os_name_key: field.fieldName().optional()
    .describe("Field to set to the operating system's name, such as linux"),
  hostname_key: field.fieldName().optional()
    .describe("Field to set to the host's name"),
  os_version_key: field.fieldName().optional()
    .describe("Field to set to the operating system's version"),
  kernel_version_key: field.fieldName().optional()
    .describe("Field to set to the kernel's release"),
});

export default defineFilter({
  name: "sysinfo",
  summary: "Adds facts about the host.",
  config,
  create(options) {
    const facts = ([
      [options.fluentbit_version_key, FLUENT_BIT_VERSION],
      [options.os_name_key, OS_NAMES[platform()] ?? platform()],
      [options.hostname_key, hostname()],
      [options.os_version_key, version()],
      [options.kernel_version_key, release()],
    ] as const).flatMap(([key, value]) => key === undefined ? [] : [{ key, value }]);
    return {
      process(batch) {
        for (const { body } of batch.records) {
          for (const { key, value } of facts) {
            // A field that is replaced moves to the end, as a new one would be there.
            key.delete(body);
            key.set(body, value);
          }
        }
        return batch;
      },
    };
  },
});
