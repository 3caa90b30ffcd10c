import { expect, test } from "bun:test";
import { conformance, HttpSink, testOutput } from "logcollector/testing";
import chat from "./chat_webhook.ts";

const texts = (sink: HttpSink) =>
  sink.requests.map(({ text }) => (JSON.parse(text) as { text: string }).text);

test("many records become one message, and long ones several", async () => {
  await using sink = await HttpSink.listen();
  await using output = testOutput(chat, { url: sink.url, title: "prod" });
  await output.write([{ log: "one" }, { log: { n: 2 } }, { other: 3 }]);
  expect(texts(sink)).toEqual(['*prod*\none\n{"n":2}\n{"other":3}\n']);
  await output.write(Array.from({ length: 10 }, (_, i) => ({ log: `${i} ${"x".repeat(1000)}` })));
  expect(texts(sink).slice(1).map((text) => text.match(/^\d/gm)?.join(""))).toEqual([
    "012",
    "345",
    "678",
    "9",
  ]);
});

test("it waits as long as the chat asks for, and gives up on a refusal", async () => {
  await using sink = await HttpSink.listen();
  await using output = testOutput(chat, { url: sink.url });
  sink.fail({ status: 429, retryAfter: 3, times: 1 });
  expect(await output.deliver([{ log: "hi" }])).toMatchObject({
    delivered: 1,
    attempts: 2,
    waitedMs: 3000,
  });
  sink.fail({ status: 404, times: 1 });
  expect(await output.deliver([{ log: "no" }])).toMatchObject({ delivered: 0, attempts: 1 });
});

test("a wrong address is refused without showing it", () => {
  expect(() => testOutput(chat, { url: "secret" })).toThrow("expected an address");
});

for (
  const { name, run } of conformance(chat, { options: { url: "http://127.0.0.1:9/" } })
) test(name, run);
