import { describe, expect, test } from "bun:test";
import { cellsOf, HEAD, type Row } from "../../bench/throughput/table.ts";

/** Runs that took so many CPU seconds and delivered so many records. */
function rowOf(collector: string, runs: readonly (readonly [number, number | undefined])[]): Row {
  return {
    pipeline: "raw → file",
    collector,
    megabytes: 100,
    expected: 1_000_000,
    runs: runs.map(([cpuSec, delivered], i) => ({
      round: i + 1,
      place: 1,
      cpuSec,
      wallSec: cpuSec * 2,
      peakBytes: 50e6 + i * 1e6,
      delivered,
    })),
  };
}

const ours = rowOf("logcollector", [[0.5, 1e6], [0.4, 1e6], [0.625, 1e6]]);
const deliveredOf = (...counts: (number | undefined)[]) =>
  cellsOf(rowOf("peer", counts.map((count) => [1, count])), ours)[HEAD.indexOf("delivered")];

describe("cellsOf()", () => {
  test("has medians and the spread", () => {
    expect(cellsOf(ours, ours)).toEqual(
      ["raw → file", "logcollector", "200", "160–250", "", "100", "51", "all"],
    );
  });

  test("has the ratio of ours to a peer", () => {
    const peer = rowOf("fluent-bit", [[2, 1e6], [1, 1e6], [4, 1e6]]);
    expect(cellsOf(peer, ours)).toEqual(
      ["raw → file", "fluent-bit", "50", "25–100", "4.00", "25", "51", "all"],
    );
  });

  test("says what share arrived when it was not all, in the worst run and the best", () => {
    expect(deliveredOf(950_000, 970_000, 960_000)).toBe("95.0 % – 97.0 %");
    expect(deliveredOf(0, 0)).toBe("0.0 %");
    expect(deliveredOf(1e6, 1_100_000)).toBe("100.0 % – 110.0 %");
  });

  test("does not round a single record away", () => {
    expect(deliveredOf(999_999)).toBe("< 100 %");
    expect(deliveredOf(1_000_001, 1e6)).toBe("100.0 % – > 100 %");
  });

  test("says where nobody counts", () => {
    expect(deliveredOf(undefined, undefined)).toBe("not counted");
  });
});
