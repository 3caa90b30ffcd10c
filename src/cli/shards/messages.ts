import type { Claims } from "../../engine/claims.ts";
import type { SavedPosition } from "../../engine/checkpoint-file.ts";
import type { DeadLetter } from "../../engine/spec.ts";
import type { LogFields } from "../../sdk/context.ts";
import type { StreamClaim } from "../../sdk/shard.ts";
import type { LogLevel } from "../../telemetry/logger.ts";
import type { FamilySnapshot } from "../../telemetry/snapshot.ts";
import type { RunCommand } from "../arguments.ts";

export type Positions = ReadonlyMap<string, SavedPosition>;

/** What a worker is started with. */
export interface ShardStart {
  readonly command: RunCommand;
  readonly index: number;
  readonly count: number;
  /** Tells the configuration from another: see {@link configurationPrint}. */
  readonly print: string;
}

/** What a worker asks of the main thread, and gets an answer to. */
export type ShardRequest =
  | { readonly type: "claim"; readonly input: string; readonly streams: readonly StreamClaim[] }
  | { readonly type: "keep"; readonly letter: DeadLetter }
  /** Answered when the positions that were posted before are written down. */
  | { readonly type: "confirm" };

export type ToShard =
  | { readonly type: "start"; readonly start: ShardStart }
  /** By input: of those whose positions outlast the process. */
  | { readonly type: "positions"; readonly positions: ReadonlyMap<string, Positions> }
  | { readonly type: "run" }
  /** The inputs of all shards have ended. */
  | { readonly type: "finish" }
  | { readonly type: "stop" }
  | { readonly type: "look"; readonly look: number }
  | {
    readonly type: "answer";
    readonly call: number;
    readonly result?: unknown;
    readonly error?: string;
  };

export interface LogMessage {
  readonly component: string;
  readonly level: LogLevel | undefined;
  readonly suppressMs: number | undefined;
  readonly spoken: "error" | "warn" | "info" | "debug";
  readonly message: string;
  readonly fields: LogFields | undefined;
}

/** An output of a worker, as health and status look at it. */
export interface OutputReport {
  readonly id: string;
  readonly stalledMs: number;
  readonly held: { readonly own: number; readonly recovered: number };
}

/** How a worker is getting on. */
export interface ShardReport {
  readonly families: readonly FamilySnapshot[];
  readonly outputs: readonly OutputReport[];
}

export type FromShard =
  /** How far streams are safe in its queues. */
  | { readonly type: "claims"; readonly claims: Claims }
  | { readonly type: "ready" }
  | { readonly type: "refused"; readonly problems: readonly string[] }
  | { readonly type: "log"; readonly log: LogMessage }
  | {
    readonly type: "moved";
    readonly input: string;
    readonly changed: Positions;
    readonly removed: ReadonlySet<string>;
  }
  | { readonly type: "release"; readonly input: string; readonly key: string }
  | { readonly type: "call"; readonly call: number; readonly request: ShardRequest }
  | { readonly type: "report"; readonly look: number; readonly report: ShardReport }
  /** Something failed that nobody foresaw. */
  | { readonly type: "failed"; readonly reason: string }
  /** An input knows the streams that were there at the start. */
  | { readonly type: "found"; readonly input: string }
  | { readonly type: "inputs-ended" }
  | { readonly type: "stopping"; readonly status: number }
  | { readonly type: "ended"; readonly status: number; readonly report: ShardReport };
