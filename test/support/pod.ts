import { chmodSync, chownSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Collector } from "./binary.ts";
import { ConfigMapVolume } from "./config-map-volume.ts";
import { daemonSetOf, type Manifest, mountedAt, type Workload } from "./manifests.ts";
import { TempFolder } from "./temp-folder.ts";

/** Why there can be no pods here, if there cannot. */
export const noPods: string | undefined = process.getuid?.() !== 0
  ? "only root may make what a container has"
  : Bun.which("unshare") === null || Bun.which("setpriv") === null
  ? "unshare and setpriv are not there"
  : Bun.spawnSync(["unshare", "--mount", "true"]).exitCode === 0
  ? undefined
  : "mounts of one's own are not allowed";

/**
 * A file system of its own, for reading only, with what is mounted into it, and root without capabilities. Libraries are
 * this machine's.
 */
const CONTAINER = `
set -eu
root=$1
user=$2
shift 2
mount -t tmpfs -o mode=755 tmpfs "$root"
bind() {
  if [ -d "$1" ]; then mkdir -p "$root$2"; else mkdir -p "$(dirname "$root$2")"; touch "$root$2"; fi
  mount --bind "$1" "$root$2"
  if [ "$3" = ro ]; then mount -o remount,bind,ro "$root$2"; fi
}
for name in bin lib lib64; do
  if [ -L "/$name" ]; then cp -P "/$name" "$root/$name"; elif [ -d "/$name" ]; then bind "/$name" "/$name" ro; fi
done
bind /usr /usr ro
for name in null urandom; do bind "/dev/$name" "/dev/$name" rw; done
mkdir "$root/proc"
mount --bind /proc "$root/proc"
while [ "$1" != -- ]; do bind "$1" "$2" "$3"; shift 3; done
shift
bind "$1" /logcollector ro
shift
mount -o remount,bind,ro "$root"
exec chroot "$root" /usr/bin/setpriv --reuid=$user --regid=$user --clear-groups --bounding-set=-all --inh-caps=-all --no-new-privs /logcollector "$@"
`;

export interface PodOptions {
  readonly manifests: readonly Manifest[];
  /** Default: the DaemonSet. */
  readonly workload?: Workload;
  /** The folder that stands for the node's root. */
  readonly node: string;
  /** What the pod gets of its service account. */
  readonly account?: { readonly token: string; readonly ca: string; readonly port: number };
  /** Files of the configuration that the user has in place of, or besides, those of the manifests. */
  readonly files?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
}

/** The compiled program as a pod runs it, without a cluster. */
export class Pod implements AsyncDisposable {
  readonly volumes = new Map<string, ConfigMapVolume>();
  private readonly folder = new TempFolder();
  private readonly mounts: string[] = [];
  private readonly options: PodOptions;
  private readonly args: readonly string[];
  private readonly user: number;
  private running: Collector | undefined;

  constructor(options: PodOptions) {
    this.options = options;
    const { manifests, node, account, files, workload = daemonSetOf(manifests) } = options;
    // Whoever the program runs as.
    chmodSync(this.folder.path, 0o755);
    mkdirSync(this.folder.at("root"));
    const { containers, volumes, securityContext } = workload.spec.template.spec;
    this.args = containers[0]!.args;
    this.user = securityContext?.runAsUser ?? containers[0]!.securityContext.runAsUser ?? -1;
    for (const { name, mountPath, readOnly } of containers[0]!.volumeMounts) {
      const { hostPath, configMap, projected, emptyDir } = volumes.find((each) =>
        each.name === name
      )!;
      if (configMap !== undefined || projected !== undefined) {
        const own = mountPath === "/etc/logcollector" ? files : {};
        const all = { ...mountedAt(manifests, mountPath, workload), ...own };
        const volume = new ConfigMapVolume(this.folder.at(name), onAnyPort(all));
        this.volumes.set(mountPath, volume);
        this.mounts.push(volume.folder, mountPath, "ro");
      } else if (hostPath !== undefined) {
        const path = join(node, hostPath.path);
        if (hostPath.type === "DirectoryOrCreate") mkdirSync(path, { recursive: true });
        this.mounts.push(path, mountPath, readOnly ? "ro" : "rw");
      } else if (emptyDir !== undefined) {
        mkdirSync(this.folder.at(name));
        // What `fsGroup` is for.
        chownSync(this.folder.at(name), this.user, this.user);
        this.mounts.push(this.folder.at(name), mountPath, "rw");
      }
    }
    if (account === undefined) return;
    const secrets = this.folder.at("account");
    mkdirSync(secrets);
    for (const [name, text] of [["token", account.token], ["ca.crt", account.ca]] as const) {
      writeFileSync(join(secrets, name), text);
    }
    writeFileSync(join(secrets, "namespace"), "logcollector");
    this.mounts.push(secrets, "/var/run/secrets/kubernetes.io/serviceaccount", "ro");
  }

  get collector(): Collector {
    if (this.running === undefined) throw new Error("It does not run");
    return this.running;
  }

  async start(): Promise<Collector> {
    const { account, env } = this.options;
    this.running = new Collector(this.args, {
      env: {
        NODE_NAME: "node-1",
        ...account !== undefined && {
          KUBERNETES_SERVICE_HOST: "127.0.0.1",
          KUBERNETES_SERVICE_PORT: String(account.port),
        },
        ...env,
      },
      via: [
        ...["unshare", "--mount", "--propagation", "private", "sh", "-c", CONTAINER, "pod"],
        this.folder.at("root"),
        String(this.user),
        ...this.mounts,
        "--",
      ],
    });
    return await this.running.untilLog("started");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.running?.[Symbol.asyncDispose]();
    this.folder[Symbol.dispose]();
  }
}

/** Pods have an address each; here they share one. */
function onAnyPort(files: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const { "logcollector.yaml": main, ...others } = files;
  if (main === undefined) return files;
  return { ...others, "logcollector.yaml": main.replace(/http_port: \d+/, "http_port: 0") };
}
