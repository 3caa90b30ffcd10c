import type { PipelineSpec, SpecKind } from "./spec.ts";

/** Another configuration, compared with the one that is in force. */
export interface PipelineChange {
  readonly spec: PipelineSpec;
  /** Ids of what stays as it is. */
  readonly unchanged: Readonly<Record<SpecKind, ReadonlySet<string>>>;
  /** Of what is new or changed, by its id, the id of the one before of the same plugin whose place it takes. */
  readonly replaces: Readonly<Record<SpecKind, ReadonlyMap<string, string>>>;
}
