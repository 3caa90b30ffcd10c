import type { Plan } from "./plan.ts";

export interface Scenario {
  readonly name: string;
  /** Pattern of the files to follow, in the folder of logs. */
  readonly path: string;
  /** Seconds; 30 by default. */
  readonly rotateWait?: number;
  /** Options of the input that only the peer needs. */
  readonly peer?: Readonly<Record<string, string>>;
  readonly plan: (plan: Plan) => void;
}
