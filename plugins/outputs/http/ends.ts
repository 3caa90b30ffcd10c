import type { FindEnds } from "logcollector/plugin";
import type { HttpConfig } from "./config.ts";
import { jsonEnds, lineEnds } from "./json-ends.ts";
import { msgpackEnds } from "./msgpack-ends.ts";

/** How records are found in a body, by its format. */
export const endsOf: Readonly<Record<HttpConfig["format"], FindEnds>> = {
  json: jsonEnds,
  json_stream: jsonEnds,
  json_lines: lineEnds,
  gelf: lineEnds,
  msgpack: msgpackEnds,
};
