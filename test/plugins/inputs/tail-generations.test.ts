import { expect, test } from "bun:test";
import { Host } from "./tail-host.ts";

for (const pattern of ["app.log", "app.log*"]) {
  test(`tail of ${pattern} reads generations that it began and was killed in, in the order of their making`, async () => {
    using host = new Host();
    const path = host.at(pattern);
    host.write("app.log", "0\n");
    const first = host.start({ path }, { acks: "manual" });
    await first.untilRecords(1);
    first.ackAll();
    first.positions.commit();
    await first.kill();
    host.write("app.log", "1\n");
    const rotate = (generations: number) => {
      for (let n = generations; n > 0; n--) host.rename(`app.log.${n}`, `app.log.${n + 1}`);
      host.rename("app.log", "app.log.1");
    };
    for (let life = 0; life < 3; life++) {
      rotate(2 * life);
      host.write("app.log", `${2 * life + 2}\n`);
      // Nobody sees this one before it is renamed.
      rotate(2 * life + 1);
      host.write("app.log", `${2 * life + 3}\n`);
      const expected = Array.from({ length: 2 * life + 3 }, (_, i) => `${i + 1}`);
      const input = host.start({ path }, { acks: "manual" });
      await input.untilRecords(expected.length);
      input.positions.commit();
      await input.kill();
      expect(input.values()).toEqual(expected);
    }
  });
}

test("tail of app.log* follows a generation that came and was renamed while it was stopped as one of app.log", async () => {
  using host = new Host();
  const options = { path: host.at("app.log*"), path_key: "file" };
  const block = (n: number) => `${`${n}`.padEnd(99, ".")}\n`.repeat(5000);
  host.write("app.log", "0\n");
  await host.run(1, options);
  host.write("app.log", block(1));
  host.rename("app.log", "app.log.2");
  host.write("app.log", block(2));
  host.rename("app.log", "app.log.1");
  host.write("app.log", block(3));
  await using input = host.start(options);
  await input.untilRecords(15_000);
  // Too long to be read in one turn, and yet one after the other.
  const order = input.values().map((line) => Number.parseInt(line as string));
  expect(order).toEqual(order.toSorted());
  expect(new Set(input.values("file"))).toEqual(new Set([host.at("app.log")]));
});
