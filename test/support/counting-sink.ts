/** How a destination behaves for the moment. */
export type SinkMode = "takes" | "refuses" | "hangs" | "forgets";

/** A destination that counts the numbers in a field of JSON lines, and when each request came. */
export class CountingSink implements Disposable {
  /** How often each number came. */
  readonly counts = new Map<number, number>();
  /** Numbers that came again although no kill explains it: see {@link killed}. */
  readonly unexplained: number[] = [];
  /** Numbers that came again. */
  repeated = 0;
  /** Numbers in the order of their first coming. */
  readonly order: number[] = [];
  mode: SinkMode = "takes";
  readonly port: number;
  /** What the last request held: its sender may not have heard that it was taken. */
  private last = new Set<number>();
  /** What was in the last request at a kill: this may come again. */
  private readonly explained = new Set<number>();
  private readonly server: Bun.Server<undefined>;

  constructor(private readonly field = "log") {
    this.server = Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      idleTimeout: 0,
      maxRequestBodySize: 256 * 1024 * 1024,
      fetch: (request) => this.answer(request),
    });
    this.port = this.server.port!;
  }

  /** The sender was killed: what it sent last may come again. */
  killed(): void {
    for (const number of this.last) this.explained.add(number);
  }

  /** The numbers from 0 that never came. */
  missing(upTo: number): number[] {
    return Array.from({ length: upTo }, (_, i) => i).filter((number) => !this.counts.has(number));
  }

  [Symbol.dispose](): void {
    void this.server.stop(true);
  }

  private async answer(request: Request): Promise<Response> {
    const { mode } = this;
    if (mode === "refuses") return new Response(null, { status: 503 });
    const text = await request.text();
    if (mode === "hangs") return await new Promise<Response>(() => undefined);
    this.count(text);
    if (mode === "takes") return new Response(null);
    // Taken, and the sender is told that it was not.
    this.killed();
    return new Response(null, { status: 500 });
  }

  private count(text: string): void {
    const numbers = text.split("\n").filter(Boolean).map((line) =>
      Number(JSON.parse(line)[this.field])
    );
    this.last = new Set(numbers);
    for (const number of numbers) {
      const before = this.counts.get(number) ?? 0;
      this.counts.set(number, before + 1);
      if (before === 0) this.order.push(number);
      else {
        this.repeated++;
        if (!this.explained.has(number)) this.unexplained.push(number);
      }
    }
  }
}
