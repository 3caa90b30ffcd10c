import type { FilterContext, LineParser } from "logcollector/plugin";
import type { KubernetesOptions } from "./config.ts";
import { ANNOTATION_PREFIX } from "./pod.ts";

/** What a pod wants done with the lines of one of its streams. */
export interface StreamWishes {
  readonly isExcluded: boolean;
  readonly parser: LineParser | undefined;
}

/** What a pod wants done with the lines of a container. */
export interface Wishes {
  readonly stdout: StreamWishes;
  readonly stderr: StreamWishes;
  /** For lines of which nobody knows the stream: what the pod wants for both. */
  readonly other: StreamWishes;
}

type Allowed = Pick<KubernetesOptions, "k8s-logging.parser" | "k8s-logging.exclude">;

/** `parser`, `parser_stdout`, `parser-CONTAINER`, `parser_stderr-CONTAINER`, and so for `exclude`. */
const FORM = /^(parser|exclude)(?:_(stdout|stderr))?(?:-(.+))?$/s;
const YES = /^(true|on|yes)$/i;

/**
 * Reads the annotations `fluentbit.io/…` of a pod for one of its containers; `undefined` when there is no wish. What is
 * said of the container itself counts for more than what is said of all.
 *
 * @param of the pod, for messages
 */
export function readWishes(
  annotations: Readonly<Record<string, string>>,
  container: string | undefined,
  of: string,
  allowed: Allowed,
  ctx: Pick<FilterContext, "log" | "parser">,
): Wishes | undefined {
  const wishes = { parser: new Wish<LineParser>(), exclude: new Wish<boolean>() };
  for (const [name, value] of Object.entries(annotations)) {
    if (!name.startsWith(ANNOTATION_PREFIX)) continue;
    const match = FORM.exec(name.slice(ANNOTATION_PREFIX.length));
    if (match === null) {
      ctx.log.warn(`Pod ${of} has the annotation ${name}, which means nothing`);
      continue;
    }
    const [, what, stream, own] = match as unknown as [
      string,
      "parser" | "exclude",
      "stdout" | "stderr" | undefined,
      string | undefined,
    ];
    if (own !== undefined && own !== container) continue;
    if (!allowed[`k8s-logging.${what}`]) {
      ctx.log.warn(`Pod ${of} has the annotation ${name}, and k8s-logging.${what} is off`);
      continue;
    }
    if (what === "exclude") wishes.exclude.set(stream, own !== undefined, YES.test(value));
    else {
      const parser = parserOf(value, ctx);
      if (parser !== undefined) wishes.parser.set(stream, own !== undefined, parser);
      else ctx.log.warn(`Pod ${of} has the annotation ${name}: there is no parser "${value}"`);
    }
  }
  const { exclude, parser } = wishes;
  if (!exclude.isThere && !parser.isThere) return undefined;
  const stdout = { isExcluded: exclude.stdout ?? false, parser: parser.stdout };
  const stderr = { isExcluded: exclude.stderr ?? false, parser: parser.stderr };
  return {
    stdout,
    stderr,
    other: {
      isExcluded: stdout.isExcluded && stderr.isExcluded,
      parser: stdout.parser === stderr.parser ? stdout.parser : undefined,
    },
  };
}

/** A value for each stream. */
class Wish<T> {
  stdout: T | undefined;
  stderr: T | undefined;

  get isThere(): boolean {
    return this.stdout !== undefined || this.stderr !== undefined;
  }

  /** @param isOwn it is said of the container itself */
  set(stream: "stdout" | "stderr" | undefined, isOwn: boolean, value: T): void {
    if (stream !== "stderr" && (isOwn || this.stdout === undefined)) this.stdout = value;
    if (stream !== "stdout" && (isOwn || this.stderr === undefined)) this.stderr = value;
  }
}

function parserOf(name: string, ctx: Pick<FilterContext, "parser">): LineParser | undefined {
  try {
    return ctx.parser(name);
  } catch {
    return undefined;
  }
}
