import {
  type Body,
  ConfigError,
  defineFilter,
  field,
  type LogRecord,
  messageWithPlace,
  noteUserFolder,
  type OptionPlace,
  optionPlace,
} from "logcollector/plugin";
import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import * as z from "zod";
import { compileScript, type Script } from "./script/compile.ts";

export default defineFilter({
  name: "script",
  summary: "Changes, drops or multiplies records with a function in TypeScript.",
  config: z.object({
    code: field.text().optional().describe(
      "The function: (record, {tag, time}) => record | null | record[]; or a module that exports it as default",
    ),
    file: field.file().optional().describe(
      "File with the same, relative to the configuration file",
    ),
  }),
  create(config, ctx) {
    const script = load(config.code, config.file, config);
    const about = { tag: "", time: 0 };
    const bodiesOf = (record: LogRecord): readonly Body[] => {
      about.time = record.sec + record.nsec / 1e9;
      return checked(script(record.body, about));
    };
    return {
      process(batch) {
        const { records } = batch;
        about.tag = batch.tag;
        const out: LogRecord[] = [];
        for (const record of records) {
          try {
            const bodies = bodiesOf(record);
            if (bodies.length === 1) {
              record.body = bodies[0]!;
              out.push(record);
            } else for (const body of bodies) out.push({ ...record, body });
          } catch (error) {
            const instead = ctx.reject(record, error);
            if (instead !== null) out.push(instead);
          }
        }
        return batch.with(out);
      },
    };
  },
});

function load(code: string | undefined, file: string | undefined, config: object): Script {
  if ((code === undefined) === (file === undefined)) {
    throw new ConfigError("give the function as code, or a file that holds it");
  }
  const option = code === undefined ? "file" : "code";
  const place = optionPlace(config, option);
  try {
    if (code !== undefined) return compile(code, place?.file ?? "code", place?.line ?? 1);
    const path = resolve(dirname(fileOf(place)), file!);
    return compile(readFileSync(path, "utf8"), path, 1);
  } catch (error) {
    throw new ConfigError(messageWithPlace(error), option, { cause: error });
  }
}

/** On the command line a path is relative to the working directory. */
function fileOf(place: OptionPlace | undefined): string {
  return place === undefined || place.line === 0 ? "here" : place.file;
}

function compile(code: string, file: string, line: number): Script {
  const path = resolve(file);
  noteUserFolder(dirname(path));
  return compileScript(code, { path, line: Math.max(1, line) });
}

const NONE: readonly Body[] = [];

/** The records that a function returned. Throws for what is none. */
function checked(result: unknown): readonly Body[] {
  if (result === null) return NONE;
  if (Array.isArray(result)) {
    const odd = result.find((each) => !isBody(each));
    if (odd === undefined) return result as Body[];
    throw new TypeError(`the function returned a list with ${describe(odd)} in it`);
  }
  if (isBody(result)) return [result];
  throw new TypeError(
    `the function returned ${
      describe(result)
    }: return the record, null to drop it, or a list of records`,
  );
}

function isBody(value: unknown): value is Body {
  return typeof value === "object" && value !== null && !Array.isArray(value) &&
    !(value instanceof Promise) && !(value instanceof Uint8Array);
}

function describe(value: unknown): string {
  if (value instanceof Promise) return "a promise, and must not be async";
  return value === undefined || value === null ? String(value) : `a ${typeof value}`;
}
