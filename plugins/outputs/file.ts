import { ConfigError, defineOutput, type PayloadWriter } from "logcollector/plugin";
import * as z from "zod";
import { fileFields } from "./file/config.ts";
import { dynamicDestinations } from "./file/dynamic-destinations.ts";
import { FileSet } from "./file/file-set.ts";
import { recordFormat } from "./file/format.ts";
import { payloadForm } from "./file/payload-form.ts";
import { rotation } from "./file/rotation.ts";
import { fixedPath, safeTagPath } from "./file/static-path.ts";

export default defineOutput({
  name: "file",
  alone: true,
  summary: "Appends records to files, named by the options, the tag or fields of the record.",
  config: z.object(fileFields),
  create(config, ctx) {
    if (config.rotate && config.rotate_max_size === 0) {
      throw new ConfigError("rotate_max_size must be greater than 0", "rotate_max_size");
    }
    const format = recordFormat(config, ctx.log);
    const dynamic = dynamicDestinations(config, ctx);
    const fixed = dynamic === undefined ? fixedPath(config) : undefined;
    const files = new FileSet({
      clock: ctx.clock,
      mkdir: config.mkdir,
      // What the configuration names is the operator's choice; what a tag or field names stays in the folder.
      confinedTo: (path) => {
        if (path === fixed || path === dynamic?.fallback) return undefined;
        return dynamic?.base ?? fixedPath({ ...config, file: "." });
      },
      rotation: config.rotate ? rotation(config, ctx.log) : undefined,
    });
    const encodeByTag = (tag: string): string | undefined =>
      safeTagPath(config.path, tag, (reason) => ctx.log.error(reason));

    return {
      format: payloadForm(config, dynamic),
      encode(batch, into: PayloadWriter) {
        if (fixed !== undefined) return format.encode(batch, into);
        if (dynamic !== undefined) {
          for (const [path, records] of dynamic.split(batch, into)) {
            into.partition(path);
            format.encode(batch.with(records), into);
          }
          return;
        }
        const path = encodeByTag(batch.tag);
        if (path === undefined) return into.drop(batch.length, "unsafe_destination");
        into.partition(path);
        format.encode(batch, into);
      },
      send: (payload, signal) =>
        files.append(fixed ?? payload.partition, payload, format.finish, signal),
      close: () => files.close(),
    };
  },
});
