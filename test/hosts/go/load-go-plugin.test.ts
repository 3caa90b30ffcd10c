import {
  afterAll,
  afterEach,
  beforeAll,
  describe,
  expect,
  setDefaultTimeout,
  test,
} from "bun:test";
import { readFileSync } from "node:fs";
import { Batch, type EncodedOutput, type Input, type OutputContext } from "logcollector/plugin";
import { encodeEvents } from "../../../src/hosts/go/encode-events.ts";
import { loadGoPlugin } from "../../../src/hosts/go/load-go-plugin.ts";
import { systemClock } from "../../../src/lib/clock.ts";
import type { Preparable } from "../../../src/sdk/preparable.ts";
import { type ManualClock, type TestContext, testContext } from "../../support/context.ts";
import { eventually } from "../../support/eventually.ts";
import { TempFolder } from "../../support/temp-folder.ts";
import { goPlugin, removeGoPlugins, withoutGo } from "./go-plugins.ts";

// A busy machine may take its time.
setDefaultTimeout(60_000);

type GoOutput = EncodedOutput & Preparable;

const context = (): TestContext => testContext({ clock: systemClock as unknown as ManualClock });
const never = new AbortController().signal;

const closing: { close?(): unknown }[] = [];
afterEach(async () => {
  for (const plugin of closing.splice(0)) await plugin.close?.();
});
afterAll(removeGoPlugins);
beforeAll(async () => {
  if (!withoutGo) await Promise.all([goPlugin("out_records"), goPlugin("in_numbers")]);
}, 300_000);

/** How long a call may take that is not what a test is about. */
const GENEROUS_MS = 60_000;

/** Makes instances of the records output that share a process, with these options each. */
async function outputs(ctx: TestContext, timeoutMs: number, ...options: Record<string, string>[]) {
  let limitMs = GENEROUS_MS;
  const definition = await loadGoPlugin(await goPlugin("out_records"), () => limitMs);
  limitMs = timeoutMs;
  if (definition.kind !== "output") throw new Error("no output");
  return options.map((each) => {
    const output = definition.create(each, ctx as OutputContext) as GoOutput;
    closing.push(output);
    return output;
  });
}

function send(output: EncodedOutput, n: number, signal: AbortSignal = never): Promise<void> {
  const bytes = Buffer.from(encodeEvents(Batch.of("t", [{ sec: 1, nsec: 0, body: { n } }])));
  return output.send({ bytes, records: 1, partition: "t", attempt: 1 }, signal);
}

const numbersIn = (path: string): number[] =>
  readFileSync(path, "utf8").split("\n").filter(Boolean).map((line) => JSON.parse(line).record.n);

describe.skipIf(withoutGo)("Go output", () => {
  test.each([
    ["hang", /failed in FLBPluginFlush: FLBPluginFlush did not return within 1.5 s/],
    ["spin", /failed in FLBPluginFlush: FLBPluginFlush did not return within 1.5 s/],
    ["exit", /failed in FLBPluginFlush: its process ended with status 3/],
    [
      "panic",
      /its process ended by SIGABRT; the plugin says: panic: runtime error: invalid memory/,
    ],
  ])(
    "%s in a flush fails that flush alone, and the next has a new process",
    async (fault, message) => {
      using folder = new TempFolder();
      const ctx = context();
      const path = folder.at("out");
      const [first, other] = await outputs(
        ctx,
        1500,
        { id: "a", path, fault, fault_at: "2", times: "1" },
        { id: "b", path },
      ) as [GoOutput, GoOutput];
      await first.prepare();
      await other.prepare();
      await send(first, 1);
      await expect(send(first, 2)).rejects.toThrow(message);
      // The other instance is set up again in the new process, which counts from the start.
      await send(other, 3);
      await send(first, 2);
      expect(numbersIn(path)).toEqual([1, 3, 2]);
      expect(ctx.counters.get("go_plugin_restarts_total")?.value).toBe(1);
    },
  );

  test("Init that does not return is an error of the configuration", async () => {
    using folder = new TempFolder();
    const [output] = await outputs(context(), 300, { init: "hang", path: folder.at("out") });
    await expect(output!.prepare()).rejects.toMatchObject({
      name: "ConfigError",
      message: expect.stringContaining("FLBPluginInit did not return within 0.3 s"),
    });
  });

  test("a send that is given up returns at once, and closing ends what it is at", async () => {
    using folder = new TempFolder();
    const [output] = await outputs(
      context(),
      60_000,
      { path: folder.at("out"), fault: "spin", fault_at: "1", times: "1" },
    );
    const stop = new AbortController();
    const sending = send(output!, 1, stop.signal);
    stop.abort(new Error("given up"));
    await expect(sending).rejects.toThrow("given up");
    await output!.close!();
  });

  test("closing is safe before anything was sent, and twice", async () => {
    using folder = new TempFolder();
    const [unused, used] = await outputs(
      context(),
      5000,
      {},
      { path: folder.at("out"), exit_log: folder.at("exit"), id: "a" },
    );
    await unused!.close!();
    await send(used!, 1);
    await used!.close!();
    await used!.close!();
    expect(readFileSync(folder.at("exit"), "utf8")).toBe("a\n");
    await expect(send(used!, 2)).rejects.toThrow("closed");
  });
});

describe.skipIf(withoutGo)("Go input", () => {
  async function input(
    ctx: TestContext,
    options: Record<string, string>,
    timeoutMs: number,
  ): Promise<Input> {
    let limitMs = GENEROUS_MS;
    const definition = await loadGoPlugin(await goPlugin("in_numbers"), () => limitMs);
    if (definition.kind !== "input") throw new Error("no input");
    const made = definition.create(options, ctx) as Input & Preparable;
    closing.push(made);
    await made.prepare();
    limitMs = timeoutMs;
    return made;
  }

  test("is not asked for more while the pipeline has no room", async () => {
    const room = Promise.withResolvers<void>();
    const batches: Batch[] = [];
    const ctx = context();
    ctx.emit = (batch) => {
      batches.push(batch);
      return room.promise;
    };
    const numbers = await input(ctx, { count: "5000", per_call: "2500" }, 5000);
    const stop = new AbortController();
    const running = numbers.run(stop.signal);
    await eventually(() => batches.length === 1);
    expect(batches[0]!.length).toBe(1000);
    room.resolve();
    await eventually(() => batches.length === 6);
    stop.abort();
    await running;
    const all = batches.flatMap(({ records }) => records.map(({ body }) => body.n));
    expect(all).toEqual(Array.from({ length: 5000 }, (_, n) => n));
  });

  test("may wait in its call, but not spin", async () => {
    const options = { count: "1", per_call: "1" };
    const waiting = await input(context(), { ...options, fault: "wait" }, 1000);
    const stop = new AbortController();
    const running = waiting.run(stop.signal);
    const spinning = await input(context(), { ...options, fault: "spin" }, 1000);
    await expect(spinning.run(never)).rejects.toThrow("did not return within 1 s");
    stop.abort();
    await running;
  });
});
