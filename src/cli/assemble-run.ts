import type { ConfigProblem } from "../config/problem.ts";
import { assemble, AssemblyError } from "../engine/assemble.ts";
import type { Pipeline } from "../engine/pipeline.ts";
import type { ReadyRun } from "./ready-run.ts";

/** Makes the pipeline of a configuration, with everything that can be known to be wrong with it before it opens. */
export async function assembleRun(
  { spec, reported }: ReadyRun,
): Promise<{ readonly pipeline: Pipeline } | { readonly errors: readonly ConfigProblem[] }> {
  try {
    const pipeline = assemble(spec);
    const problems = await pipeline.prepare();
    return problems.length === 0 ? { pipeline } : { errors: problems.map(reported) };
  } catch (error) {
    if (!(error instanceof AssemblyError)) throw error;
    return { errors: error.problems.map(reported) };
  }
}
