import { expect, test } from "bun:test";
import { conformance, testInput } from "logcollector/testing";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import httpPoll from "./http_poll.ts";

/** An API with a list that only grows. */
class Api implements Disposable {
  readonly items: { n: number; time?: string }[] = [];
  readonly asked: string[] = [];
  answer: { readonly status?: number; readonly body: unknown } | undefined;
  private readonly server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: (request) => {
      const from = Number(new URL(request.url).searchParams.get("cursor") ?? 0);
      this.asked.push(`${from} ${request.headers.get("authorization")}`);
      if (this.answer !== undefined) {
        return Response.json(this.answer.body, { status: this.answer.status ?? 200 });
      }
      const items = this.items.slice(from, from + 2);
      const cursor = String(from + items.length);
      return Response.json({ items, cursor, has_more: from + 2 < this.items.length });
    },
  });
  get url(): string {
    return `${this.server.url}audit`;
  }
  [Symbol.dispose](): void {
    void this.server.stop(true);
  }
}

test("it reads all pages, then what is new", async () => {
  using api = new Api();
  api.items.push({ n: 0, time: "2024-01-02T03:04:05.250Z" }, { n: 1 }, { n: 2 });
  await using input = testInput(httpPoll, { url: api.url, token: "t0", interval: "5s" });
  await input.untilRecords(3);
  expect(input.records[0]).toMatchObject({ sec: 1704164645, nsec: 250_000_000 });
  api.items.push({ n: 3 });
  await input.clock.advance("5s");
  await input.untilRecords(4);
  expect(input.bodies.map(({ n }) => n)).toEqual([0, 1, 2, 3]);
  expect(api.asked[0]).toBe("0 Bearer t0");
});

test("the cursor is kept when a page is safe, not before", async () => {
  using api = new Api();
  api.items.push({ n: 0 }, { n: 1 });
  const file = join(mkdtempSync(join(tmpdir(), "cursor-")), "cursor");
  const options = { url: api.url, state_file: file };
  {
    await using input = testInput(httpPoll, options, { acks: "manual" });
    await input.untilRecords(2);
    expect(() => readFileSync(file)).toThrow("ENOENT");
    input.ackAll();
    expect(readFileSync(file, "utf8")).toBe("2");
  }
  api.items.push({ n: 2 });
  await using again = testInput(httpPoll, options);
  await again.untilRecords(1);
  expect(again.bodies).toEqual([{ n: 2 }]);
  rmSync(join(file, ".."), { recursive: true });
});

test("an answer that is no page is said, and tried again", async () => {
  using api = new Api();
  api.items.push({ n: 0 });
  api.answer = { status: 503, body: "no" };
  await using input = testInput(httpPoll, { url: api.url });
  await input.log.until("it answers 503; trying again in 1 s");
  api.answer = { body: { items: 5 } };
  await input.clock.advance("1s");
  await input.log.until("its answer is not understood: items");
  api.answer = undefined;
  await input.clock.advance("2s");
  await input.untilRecords(1);
});

for (const { name, run } of conformance(httpPoll, { options: { url: "http://127.0.0.1:9/" } })) {
  test(name, run);
}
