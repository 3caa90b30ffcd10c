// What the collector takes on a Kubernetes node: pods that log at a steady pace, read with the configuration of the
// manifests, enriched from a real API server, and posted to a server on loopback. `npm run bench:node -- --help`.
import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { HAS_KUBE_API, KubeApi } from "../test/support/kube-api.ts";
import { type ContainerLog, NodeLogs } from "../test/support/kubelet-logs.ts";
import { TempFolder } from "../test/support/temp-folder.ts";

const HELP = `npm run bench:node -- [options]

  --pods LIST     numbers of pods (default 10,50,110,250)
  --rates LIST    what they log together, in MB per second (default 0.1,1,10)
  --seconds N     how long each run is measured, after 30 seconds (default 20)

It takes the API server of scripts/install-kubernetes.sh.
`;

const { values: options } = parseArgs({
  options: {
    pods: { type: "string", default: "10,50,110,250" },
    rates: { type: "string", default: "0.1,1,10" },
    seconds: { type: "string", default: "20" },
    help: { type: "boolean", default: false },
  },
});

const BINARY = join(import.meta.dir, "../dist/logcollector");
const BASE = join(import.meta.dir, "../config/kubernetes/base");
/** Until code that runs often is compiled. */
const WARM_UP_SEC = 30;
const TICK_MS = 100;
/** What the kubelet allows a file by default. */
const ROTATE_BYTES = 10 * 1024 * 1024;
const TICKS_PER_SEC = 100;
const LINE =
  "2026-01-01T12:00:00.123Z INFO  [http-worker-7] c.e.shop.OrderController - GET /api/v1/orders/4711 200 in 17 ms, user 90210";

interface Figures {
  readonly cpuPercent: number;
  readonly rssMb: number;
  readonly peakMb: number;
  readonly isComplete: boolean;
}

/** Counts lines, and throws them away. */
class Sink implements Disposable {
  lines = 0;
  private readonly server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: async (request) => {
      const bytes = Bun.gunzipSync(await request.arrayBuffer());
      for (let at = bytes.indexOf(10); at !== -1; at = bytes.indexOf(10, at + 1)) this.lines++;
      return new Response();
    },
  });

  get port(): number {
    return this.server.port!;
  }

  [Symbol.dispose](): void {
    void this.server.stop(true);
  }
}

/** The files of the manifests, for a node that is a folder. */
function configure(folder: TempFolder, api: KubeApi, token: string, port: number): string {
  const own = folder.at("config");
  mkdirSync(own);
  for (const name of ["logcollector.yaml", "10-containers.yaml"]) {
    const text = readFileSync(join(BASE, name), "utf8").replaceAll(" /var/", ` ${folder.path}/var/`)
      .replace("http_port: 2020", "http_port: 0").replace(
        "alias: kubernetes",
        `alias: kubernetes
      kube_url: ${api.url}
      kube_ca_file: ${api.caFile}
      kube_token_file: ${token}
      kube_tag_prefix: kube.${folder.path.slice(1).replaceAll("/", ".")}.var.log.containers.`,
      );
    writeFileSync(join(own, name), text);
  }
  writeFileSync(
    join(own, "90-outputs.yaml"),
    `pipeline: {outputs: [{name: http, match: "*", host: 127.0.0.1, port: ${port}, format: json_lines, compress: gzip}]}`,
  );
  return join(own, "logcollector.yaml");
}

/** Lets the pods log until it is stopped, and counts what they do. */
class Load {
  lines = 0;
  private readonly logs: readonly ContainerLog[];
  private readonly bytesPerTick: number;
  private owed = 0;
  private next = 0;
  private readonly timer: ReturnType<typeof setInterval>;

  constructor(logs: readonly ContainerLog[], mbPerSec: number) {
    this.logs = logs;
    this.bytesPerTick = mbPerSec * 1e6 * TICK_MS / 1000;
    this.timer = setInterval(() => this.tick(), TICK_MS);
  }

  stop(): void {
    clearInterval(this.timer);
  }

  /** Each pod in turn writes what it has to say with one call, of up to 40 lines. */
  private tick(): void {
    const lineBytes = LINE.length + "2026-01-01T12:00:00.123000000Z stdout F \n".length;
    this.owed += this.bytesPerTick;
    const perPod = Math.min(40, Math.max(1, Math.floor(this.owed / lineBytes / this.logs.length)));
    while (this.owed >= perPod * lineBytes) {
      const log = this.logs[this.next++ % this.logs.length]!;
      log.write("stdout", ...Array<string>(perPod).fill(LINE));
      log.written.stdout.length = 0;
      if (statSync(log.file).size > ROTATE_BYTES) log.rotate();
      this.owed -= perPod * lineBytes;
      this.lines += perPod;
    }
  }
}

/** Seconds of a process, user and system. */
function cpuSecOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]!.split(" ");
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SEC;
}

function megabytesOf(pid: number, field: "VmRSS" | "VmHWM"): number {
  const text = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(new RegExp(`${field}:\\s+(\\d+) kB`).exec(text)![1]) * 1024 / 1e6;
}

async function measure(api: KubeApi, pods: number, mbPerSec: number): Promise<Figures> {
  using folder = new TempFolder();
  using sink = new Sink();
  const node = new NodeLogs(folder.path);
  const name = `bench-${pods}-${String(mbPerSec).replace(".", "-")}`;
  const logs: ContainerLog[] = [];
  for (let i = 0; i < pods; i++) {
    const labels = { app: `app-${i % 20}`, "pod-template-hash": "7c9f5d8b6d", team: "blue" };
    const pod = { name: `${name}-${i}`, node: name, labels };
    const { metadata: { uid } } = await api.makePod(pod);
    const log = node.startPod(pod.name, "default", uid).start("app");
    await api.runPod(pod, [{ name: "app", id: log.id }]);
    logs.push(log);
  }
  writeFileSync(folder.at("token"), await api.token("collector"));
  const config = configure(folder, api, folder.at("token"), sink.port);
  const collector = Bun.spawn([BINARY, "-c", config], {
    env: { NODE_NAME: name, PATH: "/usr/bin:/bin" },
    stdin: "ignore",
    stdout: "ignore",
    stderr: Bun.file(folder.at("own.log")),
  });
  const load = new Load(logs, mbPerSec);
  await Bun.sleep(WARM_UP_SEC * 1000);
  const [beforeSec, startMs] = [cpuSecOf(collector.pid), performance.now()];
  await Bun.sleep(Number(options.seconds) * 1000);
  const cpuSec = cpuSecOf(collector.pid) - beforeSec;
  const wallSec = (performance.now() - startMs) / 1000;
  const [rssMb, peakMb] = [
    megabytesOf(collector.pid, "VmRSS"),
    megabytesOf(collector.pid, "VmHWM"),
  ];
  load.stop();
  await Bun.sleep(3000);
  collector.kill();
  await collector.exited;
  for (const log of logs) await api.deletePod(log.pod);
  const isComplete = sink.lines === load.lines;
  if (!isComplete) console.error(`${sink.lines} of ${load.lines} lines came`);
  return { cpuPercent: 100 * cpuSec / wallSec, rssMb, peakMb, isComplete };
}

async function main(): Promise<void> {
  if (!HAS_KUBE_API) process.exit(1);
  await using api = await KubeApi.start();
  await api.makeAccount("collector", {
    apiGroups: [""],
    resources: ["pods", "namespaces"],
    verbs: ["get", "list", "watch"],
  });
  console.log("| pods | MB/s | CPU, % of a core | CPU s per MB | RSS, MB | peak RSS, MB |");
  console.log("| ---- | ---- | ---------------- | ------------ | ------- | ------------ |");
  for (const pods of options.pods.split(",").map(Number)) {
    for (const rate of options.rates.split(",").map(Number)) {
      const { cpuPercent, rssMb, peakMb, isComplete } = await measure(api, pods, rate);
      const row = [
        pods,
        rate,
        cpuPercent.toFixed(1),
        (cpuPercent / 100 / rate).toFixed(4),
        rssMb.toFixed(0),
        peakMb.toFixed(0),
      ];
      console.log(`| ${row.join(" | ")} |${isComplete ? "" : " incomplete"}`);
    }
  }
}

if (options.help) console.log(HELP);
else await main();
