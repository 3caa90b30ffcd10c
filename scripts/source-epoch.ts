import { spawnSync } from "node:child_process";

/** The time of all files that are made, in seconds: that of the last commit, if nobody says otherwise. */
export function sourceEpoch(): number {
  const wanted = process.env.SOURCE_DATE_EPOCH;
  if (wanted !== undefined && /^\d+$/.test(wanted)) return Number(wanted);
  const { status, stdout } = spawnSync("git", ["log", "-1", "--format=%ct"], { encoding: "utf8" });
  return status === 0 ? Number(stdout) : 0;
}
