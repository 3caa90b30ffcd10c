import { Draft } from "./draft.ts";
import { Pipeline } from "./pipeline.ts";
import { SharedParts } from "./shared-parts.ts";
import type { AssemblyProblem, PipelineSpec } from "./spec.ts";

/** All plugins that could not be made, not only the first. */
export class AssemblyError extends Error {
  override readonly name = "AssemblyError";
  readonly problems: readonly AssemblyProblem[];

  constructor(problems: readonly AssemblyProblem[]) {
    super(`Cannot assemble the pipeline: ${problems.length} plugins failed`);
    this.problems = problems;
  }
}

/**
 * Makes every plugin and ties them together. Nothing runs, reads or connects yet. Throws AssemblyError.
 */
export function assemble(spec: PipelineSpec): Pipeline {
  const parts = new SharedParts(spec);
  const draft = new Draft(spec, parts);
  if (draft.problems.length > 0) throw new AssemblyError(draft.problems);
  draft.takeForce();
  return new Pipeline(parts, draft);
}
