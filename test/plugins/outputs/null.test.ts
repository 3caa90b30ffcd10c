import { expect, test } from "bun:test";
import nullOutput from "../../../plugins/outputs/null.ts";
import { driveOutput, lines } from "./output-driver.ts";

test("null counts records without making them of raw lines", async () => {
  const output = driveOutput(nullOutput);
  const batch = lines("a", "b", "c");
  const [payload] = await output.encode(batch);
  await output.send(payload!);
  expect(payload).toMatchObject({ records: 3, bytes: Buffer.alloc(0) });
  expect(batch.raw).toBeDefined();
});
