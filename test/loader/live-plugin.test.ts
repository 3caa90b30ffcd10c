import { expect, test } from "bun:test";
import { Batch, defineFilter, type Filter } from "logcollector/plugin";
import * as z from "zod";
import { LivePlugin } from "../../src/loader/live-plugin.ts";
import type { PluginDefinition } from "../../src/sdk/define.ts";
import { testContext } from "../support/context.ts";

/** A filter that says which version it is, and which instances were made of it. */
function version(word: string, made: string[]): PluginDefinition {
  return defineFilter({
    name: "mark",
    summary: "Marks",
    config: z.object({}),
    create: (_, { id }) => {
      made.push(`${word} for ${id}`);
      return { process: (batch) => batch.with([{ sec: 1, nsec: 0, body: { word } }]) };
    },
  }) as PluginDefinition;
}

const create = (live: LivePlugin, id: string): Filter =>
  live.definition.create({} as never, testContext({ id }) as never) as Filter;
const wordOf = async (filter: Filter) => {
  const batch = await filter.process(Batch.of("t", [{ sec: 1, nsec: 0, body: {} }]));
  return (batch as Batch).records[0]!.body.word;
};

test("LivePlugin exchanges the code of instances that work, and of none that is closed", async () => {
  const made: string[] = [];
  const live = new LivePlugin(version("one", made));
  const [kept, closed] = [create(live, "kept"), create(live, "closed")];
  await closed.close?.();
  await live.swap(version("two", made));
  expect(await wordOf(kept)).toBe("two");
  expect(made).toEqual(["one for kept", "one for closed", "two for kept"]);
});

test("LivePlugin makes new instances of the newest code", async () => {
  const made: string[] = [];
  const live = new LivePlugin(version("one", made));
  await live.swap(version("two", made));
  expect(await wordOf(create(live, "later"))).toBe("two");
});
