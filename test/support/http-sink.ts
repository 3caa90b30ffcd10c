/** A destination over HTTP that a test can let fail, take away and bring back under the same address. */
export class HttpSink implements Disposable {
  readonly bodies: string[] = [];
  /** What it answers with; other than 2xx it keeps nothing. */
  status = 200;
  /** Requests that it did not accept. */
  refused = 0;
  readonly port: number;
  private server: Bun.Server<undefined> | undefined;

  constructor() {
    this.server = this.serve(0);
    this.port = this.server.port!;
  }

  /** All records that came, for an output with `format: json_lines`. */
  get records(): Record<string, unknown>[] {
    return this.bodies.flatMap((body) => body.split("\n").filter(Boolean))
      .map((line) => JSON.parse(line));
  }

  /** Nobody answers any more: connections are refused. */
  async takeAway(): Promise<void> {
    await this.server?.stop(true);
    this.server = undefined;
  }

  bringBack(): void {
    this.server = this.serve(this.port);
  }

  [Symbol.dispose](): void {
    void this.server?.stop(true);
  }

  private serve(port: number): Bun.Server<undefined> {
    return Bun.serve({
      hostname: "127.0.0.1",
      port,
      fetch: async (request) => {
        const body = await request.text();
        if (this.status < 300) this.bodies.push(body);
        else this.refused++;
        return new Response(null, { status: this.status });
      },
    });
  }
}
