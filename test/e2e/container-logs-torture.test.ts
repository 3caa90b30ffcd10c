import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { eventually } from "../support/eventually.ts";
import type { ContainerLog, PodLogs, Runtime, StreamName } from "../support/kubelet-logs.ts";
import { Random } from "../support/random.ts";
import { NodeCollector } from "./node-collector.ts";

setDefaultTimeout(120_000);
const SEED = Number(process.env.SEED ?? 20_261_130);
const STEPS = Number(process.env.STEPS ?? 300);
const MOST_PODS = 12;

/** A node on which everything happens that a kubelet and a runtime may do, in an order that the seed gives. */
class BusyNode {
  readonly logs: ContainerLog[] = [];
  /** Files that there were at a container's path, all in all. */
  files = 0;
  private readonly alive = new Map<PodLogs, ContainerLog>();
  private pods = 0;
  private lines = 0;
  private readonly random: Random;
  private readonly collector: NodeCollector;

  constructor(collector: NodeCollector, random: Random) {
    this.collector = collector;
    this.random = random;
  }

  get written(): number {
    return this.logs.reduce(
      (sum, { written }) => sum + written.stdout.length + written.stderr.length,
      0,
    );
  }

  get room(): boolean {
    return this.alive.size < MOST_PODS;
  }

  startPod(): void {
    const pod = this.collector.node.startPod(`pod-${this.pods++}`);
    this.start(pod);
  }

  /** Another container in the place of the one that ended. */
  restart(): void {
    this.start(this.any().pod);
  }

  write(log = this.any()): void {
    const stream = this.stream();
    log.write(stream, ...Array.from({ length: 1 + this.random.below(40) }, () => this.text()));
  }

  writeInParts(): void {
    const log = this.any();
    log.writePart("stdout", `${this.text()} `);
    if (this.random.below(2) === 0) log.writePart("stderr", `${this.text()} `);
    else log.write("stderr", this.text());
    if (this.random.below(3) === 0) this.rotate(log);
    log.write("stdout", this.text());
    log.write("stderr", this.text());
  }

  rotate(log = this.any()): void {
    // One of which nothing was seen yet cannot be recognised under another name.
    if (log.written.stdout.length + log.written.stderr.length === 0) return;
    log.rotate(...Array.from({ length: this.random.below(3) }, () => this.text()));
    this.files++;
  }

  failToRotate(): void {
    const log = this.any();
    if (log.pod.node.runtime === "cri") log.failToRotate(this.text());
  }

  deletePod(): void {
    const { pod } = this.any();
    this.alive.get(pod)!.write(this.stream(), this.text());
    this.alive.delete(pod);
    pod.delete();
    if (this.alive.size === 0) this.startPod();
  }

  private any(): ContainerLog {
    const all = [...this.alive.values()];
    return all[this.random.below(all.length)]!;
  }

  private start(pod: PodLogs): void {
    const log = pod.start("app");
    this.alive.set(pod, log);
    this.logs.push(log);
    this.files++;
  }

  private stream(): StreamName {
    return this.random.below(3) === 0 ? "stderr" : "stdout";
  }

  private text(): string {
    const filler = this.random.below(50) === 0
      ? "x".repeat(40_000)
      : "y".repeat(this.random.below(200));
    return `line ${this.lines++} ${filler}`;
  }
}

for (const runtime of ["cri", "docker"] as const) {
  describe(`a node with ${runtime} (SEED=${SEED})`, () => {
    test(`${STEPS} things happen, the destination is away now and then: all lines come once, in order`, async () => {
      await withNode(runtime, {}, async (collector, node, random) => {
        // Found and held open is all that it takes.
        const allFound = () =>
          collector.untilMetric("input_files_opened_total", (n) => n >= node.files);
        for (let step = 0; step < STEPS; step++) {
          const what = random.below(100);
          if (what < 5 && node.room) node.startPod();
          else if (what < 8) node.restart();
          else if (what < 70) node.write();
          else if (what < 80) {
            await allFound();
            node.writeInParts();
          } else if (what < 87) {
            await allFound();
            node.rotate();
          } else if (what < 92) node.failToRotate();
          else if (what < 96) {
            await allFound();
            node.deletePod();
          } else collector.sink.status = collector.sink.status === 200 ? 503 : 200;
        }
        collector.sink.status = 200;
        await collector.expectAllOf(node.logs);
      });
    });

    test("the collector is killed five times: all lines come", async () => {
      await withNode(runtime, { "storage.type": "filesystem" }, async (collector, node, random) => {
        const allCame = () =>
          eventually(
            () => new Set(collector.lines).size >= node.written,
            () => `${node.written} lines: ${collector.collector.stderr.slice(-2000)}`,
            15_000,
          );
        for (let life = 0; life < 5; life++) {
          for (let step = 0; step < STEPS / 15; step++) {
            const what = random.below(10);
            if (what === 0 && node.room) node.startPod();
            else if (what < 8) node.write();
            else {
              // What is renamed was read to here: a kubelet's files are not gone before the third rotation.
              await allCame();
              node.rotate();
            }
          }
          collector.collector.signal("SIGKILL");
          await collector.collector.exit();
          for (let step = 0; step < 5; step++) node.write();
          await collector.start();
        }
        await allCame();
        await collector.stop();
        const all = node.logs.flatMap(({ written }) => [...written.stdout, ...written.stderr]);
        const came = new Set(collector.lines.map((line) => String(line).replace(/\n$/, "")));
        expect([...new Set(all).difference(came)]).toEqual([]);
        expect([...came.difference(new Set(all))]).toEqual([]);
      });
    });
  });
}

async function withNode(
  runtime: Runtime,
  options: Readonly<Record<string, unknown>>,
  work: (collector: NodeCollector, node: BusyNode, random: Random) => Promise<void>,
): Promise<void> {
  await using collector = new NodeCollector(runtime, options);
  const random = new Random(SEED);
  const node = new BusyNode(collector, random);
  node.startPod();
  await collector.start();
  await work(collector, node, random);
}
