import { compilePattern, ConfigError, type FilterContext, setField } from "logcollector/plugin";
import type { KubernetesOptions } from "./config.ts";

/** What the name of a container's log, or of the container, says. */
export interface TagParts {
  readonly pod_name?: string;
  readonly namespace_name?: string;
  readonly container_name?: string;
  readonly docker_id?: string;
  readonly container_hash?: string;
}

/** POD_NAMESPACE_CONTAINER-ID.log, as the kubelet names the files in /var/log/containers. */
const LOG_FILE =
  "(?<pod_name>[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*)_(?<namespace_name>[^_]+)_(?<container_name>.+)-(?<docker_id>[a-z0-9]{64})\\.log$";
/** k8s_CONTAINER.HASH_POD_NAMESPACE_UID_ATTEMPT, as dockershim named containers. */
const CONTAINER =
  "^(?<name_prefix>[^_]+)_(?<container_name>[^\\._]+)(\\.(?<container_hash>[^_]+))?_(?<pod_name>[^_]+)_(?<namespace_name>[^_]+)_[^_]+_[^_]+$";

const NAMES: readonly (keyof TagParts)[] = [
  "pod_name",
  "namespace_name",
  "container_name",
  "docker_id",
  "container_hash",
];

/** Reads a name; `undefined` for one that does not match. */
export type PartsReader = (name: string) => TagParts | undefined;

export function partsReader(
  options: Pick<KubernetesOptions, "regex_parser" | "use_journal">,
  ctx: Pick<FilterContext, "parser">,
): PartsReader {
  if (options.regex_parser !== undefined) return byParser(options.regex_parser, ctx);
  const pattern = compilePattern(options.use_journal ? CONTAINER : LOG_FILE);
  return (name) => {
    const match = pattern.exec(name);
    if (match === null) return undefined;
    return pick((part) => {
      const at = pattern.names.indexOf(part);
      return at < 0 ? undefined : match[1 + at];
    });
  };
}

function byParser(name: string, ctx: Pick<FilterContext, "parser">): PartsReader {
  let parser;
  try {
    parser = ctx.parser(name);
  } catch (cause) {
    throw new ConfigError((cause as Error).message, "regex_parser", { cause });
  }
  return (text) => {
    const found = parser.parse(text, 0, 0)?.body;
    return found && pick((part) => typeof found[part] === "string" ? found[part] : undefined);
  };
}

function pick(valueOf: (part: keyof TagParts) => string | undefined): TagParts {
  const parts: Record<string, string> = {};
  for (const part of NAMES) {
    const value = valueOf(part);
    if (value) setField(parts, part, value);
  }
  return parts;
}
