import { heapSize } from "bun:jsc";
import type { Filter, Input, PluginDefinition } from "../../sdk/define.ts";
import { rememberOptionOrder } from "../../sdk/option-order.ts";
import { rememberRawOptions } from "../../sdk/raw-options.ts";
import { fromBatchMessage, toBatchMessage } from "./batch-message.ts";
import { toErrorMessage } from "./error-message.ts";
import { filterContext, type GuestParts, inputContext, outputContext } from "./guest-context.ts";
import { GuestEmits } from "./guest-emits.ts";
import { GuestMetrics } from "./guest-metrics.ts";
import { GuestOutbox } from "./guest-outbox.ts";
import { GuestOutput } from "./guest-output.ts";
import type {
  Assignment,
  FromGuest,
  ProcessResult,
  Request,
  ResultOf,
  ToGuest,
} from "./messages.ts";

type Module = Readonly<Record<string, unknown>>;
type Options = Record<string, unknown>;
type Plugin =
  | { readonly kind: "input"; readonly input: Input }
  | { readonly kind: "filter"; readonly filter: Filter }
  | { readonly kind: "output"; readonly output: GuestOutput };

/** One plugin in its worker: answers the host's calls. */
export class Guest {
  private readonly post: (message: FromGuest) => void;
  private readonly load: (path: string) => Promise<Module>;
  private readonly outbox: GuestOutbox;
  private readonly emits: GuestEmits;
  private readonly metrics: GuestMetrics;
  private readonly aborts = new Map<number, AbortController>();
  private plugin: Plugin | undefined;
  private memoryLimitBytes = Infinity;

  constructor(post: (message: FromGuest) => void, load: (path: string) => Promise<Module>) {
    this.post = post;
    this.load = load;
    this.outbox = new GuestOutbox(post);
    this.emits = new GuestEmits(this.outbox);
    this.metrics = new GuestMetrics((event) => this.outbox.push(event));
  }

  receive(message: ToGuest): void {
    switch (message.type) {
      case "start":
        return void this.start(message.assignment);
      case "call":
        return void this.call(message.call, message.request);
      case "abort":
        return this.aborts.get(message.call)?.abort();
      case "taken":
        return this.emits.taken(message.emit);
      case "acked":
        return this.emits.acked(message.emit);
    }
  }

  private async start(assignment: Assignment): Promise<void> {
    try {
      this.memoryLimitBytes = assignment.memoryLimitBytes;
      const definition = definitionIn(await this.load(assignment.path), assignment);
      const config = definition.config.parse(assignment.options);
      rememberOptionOrder(config, assignment.order);
      rememberRawOptions(config, assignment.options);
      const { outbox, emits, metrics } = this;
      this.plugin = create(definition, config, { assignment, outbox, emits, metrics });
      this.post({ type: "ready", memory: this.memory() });
    } catch (error) {
      this.post({ type: "failed", error: toErrorMessage(error) });
    }
  }

  private async call(call: number, request: Request): Promise<void> {
    try {
      const pending = this.outbox.during(call, () => this.perform(call, request));
      if (pending instanceof Promise) this.outbox.flush();
      const result = pending instanceof Promise ? await pending : pending;
      this.post({ type: "answer", call, ...this.aftermath(), result });
    } catch (error) {
      this.post({ type: "answer", call, ...this.aftermath(), error: toErrorMessage(error) });
    } finally {
      this.aborts.delete(call);
    }
  }

  private aftermath() {
    // Told with the answer, not each in a message of its own.
    const events = this.outbox.during(-1, () => {
      this.metrics.tell();
      return this.outbox.take();
    });
    return { events, memory: this.memory() };
  }

  private perform(call: number, request: Request): unknown {
    const { plugin } = this;
    if (plugin === undefined) throw new Error("The worker has not been started");
    switch (request.method) {
      case "process":
        return processIn(filterOf(plugin), request.batch);
      case "flush":
        return flush(filterOf(plugin));
      case "run":
        if (plugin.kind !== "input") throw new Error(`A ${plugin.kind} cannot run`);
        return plugin.input.run(this.signal(call));
      case "write":
        if (plugin.kind !== "output") throw new Error(`A ${plugin.kind} cannot write`);
        return plugin.output.write(request.delivery, this.signal(call));
      case "close":
        return close(plugin);
      case "ping":
        return undefined;
    }
  }

  private signal(call: number): AbortSignal {
    const abort = new AbortController();
    this.aborts.set(call, abort);
    return abort.signal;
  }

  private memory(): number {
    const bytes = heapSize();
    if (bytes <= this.memoryLimitBytes) return bytes;
    // What nobody needs any more does not count.
    Bun.gc(true);
    return heapSize();
  }
}

function definitionIn(module: Module, { path, kind, name }: Assignment): PluginDefinition {
  for (const value of Object.values(module)) {
    const candidate = value as Partial<PluginDefinition> | null;
    if (candidate?.kind === kind && candidate.name === name) return candidate as PluginDefinition;
  }
  throw new Error(`Cannot load ${path}: it has no ${kind} "${name}" any more`);
}

function create(definition: PluginDefinition, config: Options, parts: GuestParts): Plugin {
  switch (definition.kind) {
    case "input":
      return { kind: "input", input: definition.create(config, inputContext(parts)) };
    case "filter":
      return { kind: "filter", filter: definition.create(config, filterContext(parts)) };
    case "output": {
      const output = definition.create(config, outputContext(parts));
      return { kind: "output", output: new GuestOutput(output) };
    }
    case "parser":
      throw new Error("A parser cannot run in a worker");
  }
}

function filterOf(plugin: Plugin): Filter {
  if (plugin.kind !== "filter") throw new Error(`A ${plugin.kind} has no such call`);
  return plugin.filter;
}

function processIn(
  filter: Filter,
  message: Parameters<typeof fromBatchMessage>[0],
): ProcessResult | Promise<ProcessResult> {
  const batch = fromBatchMessage(message);
  const resultOf = (result: Awaited<ReturnType<Filter["process"]>>): ProcessResult => {
    if (result === batch && batch.raw !== undefined) return { unchanged: true };
    return Array.isArray(result)
      ? { batches: result.map(toBatchMessage) }
      : { batch: toBatchMessage(result) };
  };
  const result = filter.process(batch);
  return result instanceof Promise ? result.then(resultOf) : resultOf(result);
}

function flush(filter: Filter): ResultOf["flush"] | Promise<ResultOf["flush"]> {
  const batches = filter.flush?.() ?? [];
  return batches instanceof Promise
    ? batches.then((all) => all.map(toBatchMessage))
    : batches.map(toBatchMessage);
}

async function close(plugin: Plugin): Promise<void> {
  switch (plugin.kind) {
    case "input":
      return await plugin.input.close?.();
    case "filter":
      return await plugin.filter.close?.();
    case "output":
      return await plugin.output.close();
  }
}
