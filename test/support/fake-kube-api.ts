/** An API server of whom a test says what it answers, to bring in faults that a real one seldom has. */

export type Answer = (url: URL, request: Request) => Response | Promise<Response>;

export interface FakeKubeApi extends Disposable {
  /** The queries of the requests so far. */
  readonly asked: readonly string[];
  readonly options: { readonly kube_url: string };
}

/** A server that gives these answers, one after the other; the last again and again. */
export function fakeKubeApi(...answers: readonly Answer[]): FakeKubeApi {
  const asked: string[] = [];
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    idleTimeout: 0,
    fetch(request) {
      const url = new URL(request.url);
      const answer = answers[Math.min(asked.length, answers.length - 1)]!;
      asked.push(url.search);
      return answer(url, request);
    },
  });
  return {
    asked,
    options: { kube_url: `http://127.0.0.1:${server.port}` },
    [Symbol.dispose]: () => void server.stop(true),
  };
}

const object = (name: string, resourceVersion: string) => ({
  metadata: { name, uid: `u-${name}`, resourceVersion },
});
/** A line of a watch. */
export const change = (type: string, name: string, version: string): string =>
  `${JSON.stringify({ type, object: object(name, version) })}\n`;

/** A list of objects with these names, each `name` or `name@version`; `next` if there is another page. */
export const list = (version: string, names: readonly string[], next?: string): Answer => () =>
  Response.json({
    kind: "PodList",
    metadata: { resourceVersion: version, ...(next && { continue: next }) },
    items: names.map((name) => object(name.split("@")[0]!, name.split("@")[1] ?? "1")),
  });
export const status =
  (code: number, message: string, headers: Record<string, string> = {}): Answer => () =>
    Response.json({ kind: "Status", code, message }, { status: code, headers });
/** A watch that tells this in these parts and ends, or stays open. */
export const watch = (parts: readonly string[], stays = false): Answer => () =>
  new Response(
    new ReadableStream({
      async start(controller) {
        for (const part of parts) {
          controller.enqueue(Buffer.from(part));
          await Bun.sleep(1);
        }
        if (!stays) controller.close();
      },
    }),
  );
