import * as z from "zod";
import { defineInput, defineOutput, type PluginDefinition } from "../../sdk/define.ts";
import { rawOptions } from "../../sdk/raw-options.ts";
import { checkPluginFile } from "./check-plugin-file.ts";
import { GoHost, type GoHostOptions } from "./go-host.ts";
import { goInput } from "./go-input.ts";
import { goOutput } from "./go-output.ts";
import { GoProcess, ProcessEnded } from "./go-process.ts";

/** A process that nobody wanted within this time is let go. */
const LINGER_MS = 10_000;

/**
 * Loads a Fluent Bit Go plugin: starts a process of its own for the file, in which it registers. `timeoutMs` is
 * how long a call of the plugin may take before its process is ended, in milliseconds. Rejects with an Error that
 * says in one line what is wrong with the file, without its name.
 *
 * All instances of an output live in one process. Each instance of an input has its own, because it may wait
 * for records in its call, and would keep the others waiting.
 */
export async function loadGoPlugin(
  path: string,
  timeoutMs: () => number,
): Promise<PluginDefinition> {
  checkPluginFile(path);
  const first = new GoProcess(path);
  const { kind, name, description } = await registered(first, timeoutMs());
  let spare: GoProcess | undefined = first;
  const letGo = setTimeout(() => {
    spare?.release();
    spare = undefined;
  }, LINGER_MS);
  letGo.unref();
  const adopt = () => {
    const process = spare;
    spare = undefined;
    return process?.isOver ? undefined : process;
  };
  const base = {
    name,
    summary: description === "" ? `Go plugin ${path}` : description,
    config: z.looseObject({}),
  };
  const options: GoHostOptions = { path, timeoutMs, adopt };
  if (kind === "input") {
    return defineInput({
      ...base,
      create: (config, ctx) => goInput(new GoHost(options), ctx, textOptions(config)),
    }) as PluginDefinition;
  }
  const host = new GoHost(options);
  return defineOutput({
    ...base,
    create: (config, ctx) => goOutput(host, ctx, textOptions(config)),
  }) as PluginDefinition;
}

async function registered(process: GoProcess, timeoutMs: number) {
  const limit = setTimeout(() => {
    process.kill(`FLBPluginRegister did not return within ${timeoutMs / 1000} s`);
  }, timeoutMs);
  try {
    return await process.hello;
  } catch (error) {
    if (error instanceof ProcessEnded) throw error;
    await process.ended;
    throw new Error(process.withWords((error as Error).message), { cause: error });
  } finally {
    clearTimeout(limit);
  }
}

/** As Fluent Bit hands options over: text; of a list the first item. */
function textOptions(config: object): Record<string, string> {
  const options: Record<string, string> = {};
  for (const [key, value] of Object.entries(rawOptions(config))) {
    const text = optionText(value);
    if (text !== undefined) options[key] = text;
  }
  return options;
}

function optionText(value: unknown): string | undefined {
  if (Array.isArray(value)) return value.length === 0 ? undefined : optionText(value[0]);
  if (value === undefined || value === null) return undefined;
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}
