import { dirname, resolve } from "node:path";
import type { AnyInstance, LoadedConfig, ParserSection } from "../config/loaded-config.ts";
import { PIPELINE_KINDS } from "../config/catalog.ts";
import type { PipelineKind } from "../config/common-options.ts";
import { describeOptionOf } from "../config/describe-schema.ts";
import { inputStorage, outputStorage } from "../config/storage.ts";
import { stampOf } from "../loader/loaded-file.ts";
import { optionOrder } from "../sdk/option-order.ts";
import { optionPlace } from "../sdk/option-place.ts";
import { rawOptions } from "../sdk/raw-options.ts";
import type { LoadedRun } from "./load-run.ts";

/** What makes an instance what it is. Two that are deeply equal do the same. */
export interface Fingerprint {
  readonly id: string;
  /** Its name may differ, and a tag that is only the name: the rest. */
  readonly content: unknown;
  readonly tag: string | undefined;
  readonly match: string | undefined;
  readonly storage: "memory" | "filesystem";
}

/** What a configuration is made of, by kind. */
export interface Fingerprints extends Readonly<Record<PipelineKind, readonly Fingerprint[]>> {
  readonly parsers: unknown;
}

export function fingerprintsOf(loaded: LoadedRun): Fingerprints {
  const { config, plugins, formats } = loaded;
  // The plugin itself, whatever code of it runs at the time.
  const pluginOf = (definition: object): number => {
    const own = plugins.find((plugin) => plugin.definition === definition);
    return numberOf(own?.live ?? definition);
  };
  const instances = instancesByKind(config);
  const prints = PIPELINE_KINDS.map((kind) => [
    kind,
    instances[kind].map((instance) => fingerprintOf(instance, config, pluginOf)),
  ]);
  return {
    ...Object.fromEntries(prints) as Record<PipelineKind, Fingerprint[]>,
    parsers: {
      parsers: config.parsers.map(parserPrint),
      multiline: config.multilineParsers.map(parserPrint),
      formats: formats.map(pluginOf),
      limit: config.service.multiline_buffer_limit,
    },
  };
}

function fingerprintOf(
  instance: AnyInstance,
  config: LoadedConfig,
  pluginOf: (definition: object) => number,
): Fingerprint {
  const { id, definition, config: options, common } = instance;
  const { alias: _, ...rest } = rawOptions(common);
  return {
    id,
    content: {
      plugin: pluginOf(definition),
      options: rawOptions(options as object),
      order: optionOrder(options as object),
      files: filesOf(definition.config, options as object),
      common: rest,
    },
    tag: "tag" in common ? common.tag : undefined,
    match: "match" in common ? common.match : undefined,
    storage: storageOf(instance, config),
  };
}

/** The files that the plugin reads when it is set up, as they are now. */
function filesOf(schema: AnyInstance["definition"]["config"], options: object): unknown {
  const raw = rawOptions(options);
  const isFile = (name: string) => describeOptionOf(schema, name)?.type === "file";
  return Object.keys(raw).filter(isFile).map((name) => {
    const paths = [raw[name]].flat().filter((path) => typeof path === "string");
    // Relative to the working directory or to the configuration, as the plugin sees fit.
    const beside = dirname(optionPlace(options, name)?.file ?? ".");
    return paths.flatMap((path) => [stampOf([path]), stampOf([resolve(beside, path)])]);
  });
}

function storageOf(instance: AnyInstance, config: LoadedConfig): Fingerprint["storage"] {
  const { inputs, outputs, service } = config;
  const input = inputs.find((each) => each === instance);
  if (input !== undefined) return inputStorage(input, service);
  const output = outputs.find((each) => each === instance);
  return output === undefined ? "memory" : outputStorage(output, config);
}

function parserPrint({ name, options, formatOptions }: ParserSection): unknown {
  return {
    name,
    options: rawOptions(options as object),
    format: formatOptions && rawOptions(formatOptions),
  };
}

const numbers = new WeakMap<object, number>();
let lastNumber = 0;

/** Tells objects apart without looking into them. */
function numberOf(thing: object): number {
  const known = numbers.get(thing);
  if (known !== undefined) return known;
  numbers.set(thing, ++lastNumber);
  return lastNumber;
}

function instancesByKind(
  { inputs, filters, outputs }: LoadedConfig,
): Record<PipelineKind, readonly AnyInstance[]> {
  return { input: inputs, filter: filters, output: outputs };
}
