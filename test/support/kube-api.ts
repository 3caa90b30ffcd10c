import { generateKeyPairSync, randomUUID } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { inTime } from "./eventually.ts";
import { TempFolder } from "./temp-folder.ts";

/** Where `scripts/install-kubernetes.sh` puts it. */
const FOLDER = join(import.meta.dir, "../../node_modules/.cache/kubernetes");

/** Without both programs tests are skipped. */
export const HAS_KUBE_API: boolean = existsSync(join(FOLDER, "stamp")) &&
  Bun.which("etcd") !== null;
if (!HAS_KUBE_API) {
  console.warn(
    "No Kubernetes API server: scripts/install-kubernetes.sh installs it. Its tests are skipped.",
  );
}

const START_MS = 60_000;

/** An object of the API, as JSON has it. */
export type KubeObject = Readonly<Record<string, unknown>> & {
  readonly metadata: {
    readonly name: string;
    readonly uid: string;
    readonly resourceVersion: string;
  };
};

export interface NewPod {
  readonly namespace?: string;
  readonly name: string;
  /** Default `node-1`. */
  readonly node?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly ownerReferences?: readonly object[];
  /** Names of the containers. Default `app` alone. */
  readonly containers?: readonly string[];
}

export interface RunningContainer {
  readonly name: string;
  /** 64 hexadecimal digits. */
  readonly id: string;
  readonly image?: string;
  readonly imageID?: string;
  /** The id of the container that ran before it in its place. */
  readonly previous?: string;
}

/**
 * A real API server with its etcd, and nobody else: no scheduler, no kubelet. A pod is on the node that it is made for, and
 * runs when the test says so. It takes some seconds to start and a quarter of a gigabyte: start one for a file of tests.
 */
export class KubeApi implements AsyncDisposable {
  readonly port: number;
  readonly url: string;
  private readonly folder = new TempFolder();
  private readonly etcdPort = freePort();
  private readonly adminToken = randomUUID();
  private etcd: Bun.Subprocess | undefined;
  private server: Bun.Subprocess | undefined;

  private constructor() {
    this.port = freePort();
    this.url = `https://127.0.0.1:${this.port}`;
  }

  static async start(): Promise<KubeApi> {
    const api = new KubeApi();
    const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    writeFileSync(api.folder.at("key.pem"), privateKey.export({ type: "pkcs8", format: "pem" }));
    writeFileSync(api.folder.at("tokens.csv"), `${api.adminToken},admin,1,system:masters\n`);
    api.startEtcd();
    await api.resume();
    return api;
  }

  /** The authorities that have signed the server's certificate. */
  get caFile(): string {
    return this.folder.at("certificates/apiserver.crt");
  }

  /** Ends the server at once, as a power cut does. What it knew stays in etcd. */
  async kill(): Promise<void> {
    this.server?.kill("SIGKILL");
    await this.server?.exited;
  }

  /** Starts the server, again on its port. */
  async resume(): Promise<void> {
    const at = (name: string) => this.folder.at(name);
    this.server = Bun.spawn([
      join(FOLDER, "kube-apiserver"),
      `--etcd-servers=http://127.0.0.1:${this.etcdPort}`,
      "--bind-address=127.0.0.1",
      "--advertise-address=127.0.0.1",
      `--secure-port=${this.port}`,
      `--cert-dir=${at("certificates")}`,
      "--service-cluster-ip-range=10.0.0.0/24",
      "--service-account-issuer=https://kubernetes.default.svc",
      `--service-account-key-file=${at("key.pem")}`,
      `--service-account-signing-key-file=${at("key.pem")}`,
      `--token-auth-file=${at("tokens.csv")}`,
      "--authorization-mode=RBAC",
      "--endpoint-reconciler-type=none",
      // Pods are made without the account that a controller would make first.
      "--disable-admission-plugins=ServiceAccount",
    ], { stdout: "ignore", stderr: Bun.file(at("server.log")), stdin: "ignore" });
    await inTime(this.untilReady(this.server), "the API server is ready", START_MS);
  }

  /**
   * Makes a request as an administrator; gives the answer, parsed. Rejects with the server's message for an answer other
   * than success.
   *
   * @param patch the body is a change of what is there
   */
  async request(method: string, path: string, body?: object): Promise<KubeObject> {
    const type = method === "PATCH" ? "application/strategic-merge-patch+json" : "application/json";
    const response = await fetch(this.url + path, {
      method,
      headers: { Authorization: `Bearer ${this.adminToken}`, "Content-Type": type },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      tls: { ca: readFileSync(this.caFile, "utf8") },
    });
    const answer = await response.json() as KubeObject & { readonly message?: string };
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${answer.message}`);
    return answer;
  }

  makeNamespace(
    name: string,
    metadata: Pick<NewPod, "labels" | "annotations"> = {},
  ): Promise<KubeObject> {
    return this.request("POST", "/api/v1/namespaces", { metadata: { name, ...metadata } });
  }

  /**
   * Makes a service account that may do this in the whole cluster and nothing else, such as
   * `{ apiGroups: [""], resources: ["pods"], verbs: ["get", "list", "watch"] }`.
   */
  async makeAccount(name: string, ...rules: readonly object[]): Promise<void> {
    const rbac = "/apis/rbac.authorization.k8s.io/v1";
    const metadata = { name };
    await this.request("POST", "/api/v1/namespaces/default/serviceaccounts", { metadata });
    await this.request("POST", `${rbac}/clusterroles`, { metadata, rules });
    await this.request("POST", `${rbac}/clusterrolebindings`, {
      metadata,
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name },
      subjects: [{ kind: "ServiceAccount", name, namespace: "default" }],
    });
  }

  /** A token of an account, as a pod gets it. With `boundTo` it is good only as long as that pod is there. */
  async token(account: string, boundTo?: KubeObject): Promise<string> {
    const answer = await this.request(
      "POST",
      `/api/v1/namespaces/default/serviceaccounts/${account}/token`,
      {
        spec: {
          ...(boundTo !== undefined && {
            boundObjectRef: {
              kind: "Pod",
              apiVersion: "v1",
              name: boundTo.metadata.name,
              uid: boundTo.metadata.uid,
            },
          }),
        },
      },
    );
    return (answer["status"] as { token: string }).token;
  }

  makePod(pod: NewPod): Promise<KubeObject> {
    const { namespace = "default", node = "node-1", containers = ["app"], ...metadata } = pod;
    return this.request("POST", `/api/v1/namespaces/${namespace}/pods`, {
      metadata,
      spec: {
        nodeName: node,
        containers: containers.map((name) => ({ name, image: "example.org/image:1" })),
      },
    });
  }

  /** Says that the containers run, as a kubelet does. */
  runPod(
    pod: Pick<NewPod, "namespace" | "name">,
    containers: readonly RunningContainer[],
    podIP: string = "10.1.0.7",
  ): Promise<KubeObject> {
    const { namespace = "default", name } = pod;
    return this.request("PATCH", `/api/v1/namespaces/${namespace}/pods/${name}/status`, {
      status: {
        phase: "Running",
        podIP,
        podIPs: [{ ip: podIP }],
        containerStatuses: containers.map(statusOf),
      },
    });
  }

  /** Removes a pod at once: there is no kubelet to say that it has ended. */
  deletePod({ namespace = "default", name }: Pick<NewPod, "namespace" | "name">): Promise<unknown> {
    const path = `/api/v1/namespaces/${namespace}/pods/${name}?gracePeriodSeconds=0`;
    return this.request("DELETE", path);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    this.etcd?.kill("SIGKILL");
    await this.etcd?.exited;
    this.folder[Symbol.dispose]();
  }

  private startEtcd(): void {
    const clients = `http://127.0.0.1:${this.etcdPort}`;
    const peers = `http://127.0.0.1:${freePort()}`;
    this.etcd = Bun.spawn([
      "etcd",
      `--data-dir=${this.folder.at("etcd")}`,
      `--listen-client-urls=${clients}`,
      `--advertise-client-urls=${clients}`,
      `--listen-peer-urls=${peers}`,
      `--initial-advertise-peer-urls=${peers}`,
      `--initial-cluster=default=${peers}`,
      "--unsafe-no-fsync",
    ], {
      stdout: "ignore",
      stderr: Bun.file(this.folder.at("etcd.log")),
      stdin: "ignore",
      env: { ...process.env, ETCD_UNSUPPORTED_ARCH: process.arch },
    });
  }

  private async untilReady(server: Bun.Subprocess): Promise<void> {
    for (;;) {
      const isReady = await this.isReady();
      if (isReady) return;
      if (server.exitCode !== null) {
        const log = readFileSync(this.folder.at("server.log"), "utf8");
        throw new Error(`Cannot start the API server: it has ended, and said ${log.slice(-2000)}`);
      }
      await Bun.sleep(50);
    }
  }

  private async isReady(): Promise<boolean> {
    try {
      const response = await fetch(`${this.url}/readyz`, {
        headers: { Authorization: `Bearer ${this.adminToken}` },
        tls: { ca: readFileSync(this.caFile, "utf8") },
      });
      return response.ok;
    } catch {
      return false;
    }
  }
}

function statusOf(container: RunningContainer): object {
  const { name, id, image = "example.org/image:1", previous } = container;
  return {
    name,
    ready: true,
    restartCount: previous === undefined ? 0 : 1,
    image,
    imageID: container.imageID ?? `example.org/image@sha256:${"5".repeat(64)}`,
    containerID: `containerd://${id}`,
    state: { running: { startedAt: "2026-01-01T00:00:00Z" } },
    lastState: previous === undefined
      ? {}
      : { terminated: { exitCode: 1, containerID: `containerd://${previous}` } },
  };
}

/** A port that nobody listens on at the moment. */
function freePort(): number {
  const listener = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  const { port } = listener;
  listener.stop(true);
  return port;
}
