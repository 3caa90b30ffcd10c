import { CString, dlopen, type Pointer, ptr, read } from "bun:ffi";
import { CODE, type Hello } from "../protocol.ts";
import type { Native } from "./native.ts";

const KINDS: Readonly<Record<number, Hello["kind"]>> = { 1: "input", 2: "output" };
const PROXY_GO = 11;
/** Definition and instance are larger in newer hosts; a plugin knows only the first part. */
const DEFINITION_BYTES = 128;
const INSTANCE_BYTES = 256;

type Argument = "ptr" | "i32";
type Call = (...args: (Pointer | number | null)[]) => number;

interface Instance {
  /** What the plugin put into its context in FLBPluginInit. */
  readonly handle: Pointer | null;
}

/** A loaded plugin, and its instances. Every call blocks until the plugin's function returns. */
export class PluginLibrary {
  readonly hello: Hello;
  private readonly path: string;
  private readonly native: Native;
  private readonly definition = new Uint8Array(DEFINITION_BYTES);
  private readonly instances = new Map<number, Instance>();
  /** Memory that the plugin may look at for as long as it lives. */
  private readonly kept: unknown[] = [];
  private readonly calls: Readonly<Record<keyof typeof OPTIONAL, Call | undefined>>;
  private readonly initialise: Call;
  private readonly slots = new BigUint64Array(2);

  /** Loads and registers. Throws an Error that says in one line what is wrong with the plugin. */
  constructor(path: string, native: Native) {
    this.path = path;
    this.native = native;
    this.find("FLBPluginPreRegister", ["i32"])?.(0);
    const register = this.need("FLBPluginRegister", ["ptr"]);
    this.kept.push(this.definition);
    const code = register(ptr(this.definition));
    this.hello = this.readDefinition(code);
    this.initialise = this.need("FLBPluginInit", ["ptr"]);
    this.calls = Object.fromEntries(
      Object.entries(OPTIONAL).map(([name, args]) => [name, this.find(name, args)]),
    ) as typeof this.calls;
    this.requireWork();
  }

  /** Sets up one instance with its options, and returns the plugin's code: above 0 is success. */
  init(id: number, options: Readonly<Record<string, string>>): number {
    const properties = this.table(
      Object.entries(options).flatMap(([key, value]) => [this.text(key), this.text(value)]),
    );
    const context = this.table([]);
    const instance = this.table([
      this.text(this.hello.name),
      this.native.host_api(this.metricsContext()) as Pointer,
      ptr(properties),
      ptr(context),
    ]);
    const code = this.initialise(ptr(instance));
    if (code <= 0) return code;
    this.instances.set(id, { handle: read.ptr(ptr(context), 0) as Pointer });
    this.calls[this.isInput ? "FLBPluginInputPreRun" : "FLBPluginOutputPreRun"]?.(0);
    return code;
  }

  flush(id: number, tag: Pointer, data: Pointer, size: number): number {
    const { handle } = this.instance(id);
    const { FLBPluginFlushCtx: withContext, FLBPluginFlush: plain } = this.calls;
    return withContext ? withContext(handle, data, size, tag) : plain!(data, size, tag);
  }

  /** Hands what the plugin has to `take`, and frees it. */
  collect(id: number, take: (data: Pointer | null, size: number) => void): void {
    const { handle } = this.instance(id);
    const { FLBPluginInputCallbackCtx: withContext, FLBPluginInputCallback: plain } = this.calls;
    this.slots.fill(0n);
    const at = ptr(this.slots);
    const sizeAt = at + 8 as Pointer;
    if (withContext) withContext(handle, at, sizeAt);
    else plain!(at, sizeAt);
    const data = Number(this.slots[0]) as Pointer;
    const size = Number(this.slots[1]);
    if (size === 0) return take(null, 0);
    take(data, size);
    this.cleanUp(handle, data);
  }

  /** Ends one instance. A plugin without contexts is asked once, when it is the last. */
  exit(id: number): number {
    const { handle } = this.instance(id);
    this.instances.delete(id);
    this.calls[this.isInput ? "FLBPluginInputPreExit" : "FLBPluginOutputPreExit"]?.(0);
    const { FLBPluginExitCtx: withContext, FLBPluginExit: plain } = this.calls;
    // Fluent Bit asks an input in the plain way only, so that is where authors clean up.
    if (withContext && !(this.isInput && plain)) return withContext(handle);
    if (plain && this.instances.size === 0) return plain();
    return CODE.ok;
  }

  unregister(): void {
    this.calls.FLBPluginUnregister?.(ptr(this.definition));
  }

  private get isInput(): boolean {
    return this.hello.kind === "input";
  }

  private cleanUp(handle: Pointer | null, data: Pointer): void {
    const { FLBPluginInputCleanupCallbackCtx: withContext, FLBPluginInputCleanupCallback: plain } =
      this.calls;
    if (withContext) withContext(handle, data);
    else if (plain) plain(data);
    else this.native.release(data);
  }

  private instance(id: number): Instance {
    const found = this.instances.get(id);
    if (found === undefined) throw new Error(`instance ${id} is not set up`);
    return found;
  }

  private readDefinition(code: number): Hello {
    const view = new DataView(this.definition.buffer);
    const type = view.getInt32(0, true);
    const proxy = view.getInt32(4, true);
    const name = textAt(view.getBigUint64(16, true));
    if (code !== 0) throw new Error(`FLBPluginRegister failed: it returned ${code}`);
    const kind = KINDS[type];
    if (kind === undefined) {
      throw new Error(
        `it registers as type ${type}: only inputs (1) and outputs (2) can be loaded`,
      );
    }
    if (proxy !== PROXY_GO) {
      throw new Error(`it registers as proxy ${proxy}: only Go (11) is known`);
    }
    if (name === "") throw new Error("it registers without a name");
    const event = view.getInt32(32, true);
    if (event > 1) throw new Error("it wants metrics or traces, and there are only logs here");
    return { kind, name, description: textAt(view.getBigUint64(24, true)) };
  }

  private requireWork(): void {
    const { calls } = this;
    const names = this.isInput
      ? ["FLBPluginInputCallbackCtx", "FLBPluginInputCallback"] as const
      : ["FLBPluginFlushCtx", "FLBPluginFlush"] as const;
    if (names.some((name) => calls[name] !== undefined)) return;
    throw new Error(`symbol ${names[1]} is missing: an ${this.hello.kind} plugin must export it`);
  }

  /**
   * What a plugin with metrics of its own hangs them on. It brings the library for it along; what it counts
   * stays in its process.
   */
  private metricsContext(): Pointer | null {
    return (this.find("cmt_create", [])?.() ?? null) as Pointer | null;
  }

  private need(symbol: string, args: readonly Argument[]): Call {
    const found = this.find(symbol, args);
    if (found === undefined) {
      throw new Error(`symbol ${symbol} is missing: is it a Fluent Bit Go plugin?`);
    }
    return found;
  }

  private find(symbol: string, args: readonly Argument[]): Call | undefined {
    const returns = symbol === "cmt_create" ? "ptr" : "i32";
    try {
      const library = dlopen(this.path, { [symbol]: { args: [...args], returns } });
      this.kept.push(library);
      return library.symbols[symbol] as Call | undefined;
    } catch (error) {
      const message = (error as Error).message;
      if (/^Symbol .* not found/.test(message)) return undefined;
      throw new Error(message.replace(/^Failed to open library "[^"]*": /, ""));
    }
  }

  private text(text: string): Pointer {
    const bytes = Buffer.from(`${text}\0`);
    this.kept.push(bytes);
    return ptr(bytes);
  }

  /** Pointers one behind the other, ended by null, in memory of at least the size of an instance. */
  private table(pointers: readonly (Pointer | null)[]): BigUint64Array {
    const table = new BigUint64Array(Math.max(INSTANCE_BYTES / 8, pointers.length + 2));
    pointers.forEach((pointer, i) => void (table[i] = BigInt(pointer ?? 0)));
    this.kept.push(table);
    return table;
  }
}

const OPTIONAL = {
  FLBPluginFlushCtx: ["ptr", "ptr", "i32", "ptr"],
  FLBPluginFlush: ["ptr", "i32", "ptr"],
  FLBPluginInputCallbackCtx: ["ptr", "ptr", "ptr"],
  FLBPluginInputCallback: ["ptr", "ptr"],
  FLBPluginInputCleanupCallbackCtx: ["ptr", "ptr"],
  FLBPluginInputCleanupCallback: ["ptr"],
  FLBPluginInputPreRun: ["i32"],
  FLBPluginOutputPreRun: ["i32"],
  FLBPluginInputPreExit: ["i32"],
  FLBPluginOutputPreExit: ["i32"],
  FLBPluginExitCtx: ["ptr"],
  FLBPluginExit: [],
  FLBPluginUnregister: ["ptr"],
} as const satisfies Readonly<Record<string, readonly Argument[]>>;

function textAt(address: bigint): string {
  return address === 0n ? "" : new CString(Number(address) as Pointer).toString();
}
