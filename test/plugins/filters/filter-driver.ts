import { Batch, type Body, type Filter, type FilterDefinition } from "logcollector/plugin";
import { type TestContext, testContext } from "../../support/context.ts";

/** A filter under test, made from options as a configuration gives them. */
export interface FilterDriver {
  readonly filter: Filter;
  readonly ctx: TestContext;
  /** Sends records under the tag `a.b.c` through the filter; gives the bodies that come out. */
  feed(...bodies: Body[]): Promise<Body[]>;
  /** The same, with the batches that come out. */
  feedBatch(batch: Batch): Promise<Batch[]>;
}

export function makeFilter(
  definition: FilterDefinition,
  options: Record<string, unknown>,
  ctx: TestContext = testContext(),
): FilterDriver {
  const filter = definition.create(parseOptions(definition, options), ctx);
  const feedBatch = async (batch: Batch): Promise<Batch[]> => {
    const result = await filter.process(batch);
    return Array.isArray(result) ? result : [result];
  };
  return {
    filter,
    ctx,
    feedBatch,
    async feed(...bodies) {
      const batches = await feedBatch(batchOf(...bodies));
      return batches.flatMap((batch) => batch.records.map((record) => record.body));
    },
  };
}

/** The options as `create` gets them: what was given comes first, in its order. */
function parseOptions(
  definition: FilterDefinition,
  options: Record<string, unknown>,
): Record<string, unknown> {
  const result = definition.config.safeParse(options);
  if (!result.success) {
    const [issue] = result.error.issues;
    throw new Error(`${issue!.path.join(".")}: ${issue!.message}`, { cause: result.error });
  }
  const parsed = result.data as Record<string, unknown>;
  const inOrder: Record<string, unknown> = {};
  for (const name of [...Object.keys(options), ...Object.keys(parsed)]) {
    inOrder[name] = parsed[name];
  }
  return inOrder;
}

export function batchOf(...bodies: Body[]): Batch {
  return Batch.of(
    "a.b.c",
    bodies.map((body, i) => ({ sec: 1_700_000_000 + i, nsec: i, body: structuredClone(body) })),
    { stream: "file", bytes: 100 },
  );
}
