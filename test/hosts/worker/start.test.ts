import { ConfigError } from "logcollector/plugin";
import { expect, setDefaultTimeout, test } from "bun:test";
import { TempFolder } from "../../support/temp-folder.ts";
import { isolated, WorkerPipeline } from "./worker-pipeline.ts";

// What ends a test that waits in vain are the deadlines of what it waits for.
setDefaultTimeout(60_000);

const create = (body: string) => `
export default defineFilter({
  name: "own", summary: "A test", config: z.object({ key: z.string().optional() }),
  create(config, ctx) { ${body} },
});`;

async function startError(code: string, timeoutMs = 60_000): Promise<unknown> {
  using folder = new TempFolder();
  const pipeline = await WorkerPipeline.make(folder, {
    code: create(code),
    isolation: { timeoutMs: () => timeoutMs },
  });
  const [problem] = await pipeline.pipeline.prepare();
  return problem?.error;
}

test("a ConfigError of create comes out before anything runs, with its option", async () => {
  const error = await startError('throw new sdk.ConfigError("no such key", "key");');
  expect(error).toBeInstanceOf(ConfigError);
  expect(error).toMatchObject({ message: "no such key", option: "key" });
});

test.each([
  ["a throw", 'throw new TypeError("broken");', "broken"],
  ["process.exit", "process.exit(1);", "its worker ended itself with process.exit(1)"],
  ["a busy loop", "while (true);", "its worker gave no answer within 0.3 s when it was started"],
  [
    "a parser",
    'ctx.parser("json");',
    'filter "own" asks for the parser "json", which a plugin with "isolation: worker" cannot have: use ' +
    '"isolation: inline"',
  ],
])("%s in create is one clear line", async (_, code, message) => {
  // No worker ever gets to its end with this, so it may be short.
  const timeoutMs = code.startsWith("while") ? 300 : undefined;
  expect((await startError(code, timeoutMs) as Error).message).toBe(message);
});

test("a parser is refused", async () => {
  using folder = new TempFolder();
  const code = `
export default defineParser({
  name: "own", summary: "A test", config: z.object({}), create: () => ({ parse: () => null }),
});`;
  expect(isolated(folder, { code })).rejects.toThrow(
    /^Cannot load \S+own\.ts: parser "own" is called for each line and cannot run in a worker: use "isolation: inline"$/,
  );
});

test("a file that must not be loaded any more is not started again", async () => {
  using folder = new TempFolder();
  let allowed = true;
  await using pipeline = await WorkerPipeline.start(folder, {
    code: create("setTimeout(() => process.exit(0), 50); return { process: (batch) => batch };"),
    isolation: {
      check: () => {
        if (!allowed) throw new Error("its digest has changed");
      },
    },
  });
  allowed = false;
  await pipeline.until(
    () => pipeline.messages.some((m) => m.includes("cannot be started: it says: its digest")),
    "the refusal",
  );
});
