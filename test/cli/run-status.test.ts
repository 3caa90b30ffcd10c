import { expect, test } from "bun:test";
import { runStatus, type StatusOutput } from "../../src/cli/run-status.ts";

const output = (id: string, stalledMs = 0, own = 0): StatusOutput => ({
  id,
  stalledMs,
  held: { own, recovered: 1 },
});

test("the status of a run without trouble is its counts", () => {
  expect(runStatus({ inputs: 1, outputs: [], delivered: 0, refusal: [] })).toBe(
    "1 input, 0 outputs, 0 records delivered",
  );
});

test("the status begins with outputs that wait and with why a reload was refused", () => {
  const outputs = [output("http.0", 61_900, 41), output("fine", 4999, 5), output("es", 5000)];
  expect(runStatus({ inputs: 2, outputs, delivered: 7, refusal: ["a.yaml:1:2: no", "b"] })).toBe(
    "output http.0: waiting for 61 s, 42 records queued; output es: waiting for 5 s, 1 record queued; " +
      "last reload refused: a.yaml:1:2: no (and 1 more); 2 inputs, 3 outputs, 7 records delivered",
  );
});

test("the status names three waiting outputs at most", () => {
  const outputs = ["a", "b", "c", "d", "e"].map((id) => output(id, 20_000));
  expect(runStatus({ inputs: 1, outputs, delivered: 0, refusal: [] })).toContain(
    "output c: waiting for 20 s, 1 record queued; 2 more outputs are waiting; 1 input",
  );
});
