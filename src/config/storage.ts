import { isAbsolute, join, resolve } from "node:path";
import { ConfigError } from "../sdk/errors.ts";
import type { LoadedConfig, OutputInstance } from "./loaded-config.ts";
import type { ConfigProblem } from "./problem.ts";
import { problemOf } from "./problem-of.ts";
import type { ServiceOptions } from "./service-options.ts";

type Storage = "memory" | "filesystem";
type Pipeline = Pick<LoadedConfig, "service" | "inputs" | "outputs">;

/** Where an input's records wait: as it says, or as the service says for all, or in memory. */
export function inputStorage(
  { common }: Pipeline["inputs"][number],
  service: ServiceOptions,
): Storage {
  return common["storage.type"] ??
    (service["storage.inherit"] ? service["storage.type"] : undefined) ?? "memory";
}

/** An output has its queue on disk when the records of any input are to wait there, unless it says otherwise. */
export function outputStorage(
  { common }: OutputInstance,
  { service, inputs }: Pick<Pipeline, "service" | "inputs">,
): Storage {
  const wanted = inputs.some((input) => inputStorage(input, service) === "filesystem");
  return common["storage.type"] ?? (wanted ? "filesystem" : "memory");
}

/** What would have to wait on disk, and has no place there. */
export function storageProblems({ service, inputs, outputs }: Pipeline): ConfigProblem[] {
  if (service["storage.path"] !== undefined) return [];
  const onDisk = [
    ...inputs.filter((input) => inputStorage(input, service) === "filesystem"),
    ...outputs.filter(({ common }) => common["storage.type"] === "filesystem"),
  ];
  const message = "needs a folder to keep records in: add storage.path to service";
  return onDisk.map((instance) => problemOf(instance, new ConfigError(message, "storage.type")));
}

/** The folder of everything that the collector keeps, as an absolute path. */
export function storageFolder(service: ServiceOptions): string | undefined {
  const path = service["storage.path"];
  return path === undefined ? undefined : resolve(path);
}

/** The folder of dead letters, in the storage folder unless it is an absolute path; `undefined` without one. */
export function deadLetterFolder(service: ServiceOptions): string | undefined {
  const path = service["storage.rejected.path"];
  if (isAbsolute(path)) return path;
  const folder = storageFolder(service);
  return folder === undefined ? undefined : join(folder, path);
}

/** Whether what is given up is kept: as the service says, or wherever there is a place for it. */
export function keepsDeadLetters(service: ServiceOptions): boolean {
  return service["storage.keep.rejected"] ?? deadLetterFolder(service) !== undefined;
}
