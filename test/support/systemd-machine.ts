import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { eventually } from "./eventually.ts";
import { TempFolder } from "./temp-folder.ts";

/**
 * Makes a group of processes for the machine, boots it in there, and takes the group away when it is off. It is off when
 * standard input ends, also because whoever started it was killed.
 */
const OUTER = `
set -eu
folder=$1
exec 3<&0
mkdir "$folder/groups" "$folder/tree"
mount -t cgroup2 cgroup2 "$folder/groups"
group=$folder/groups/logcollector-test-$$
mkdir "$group"
( echo "$BASHPID" > "$group/cgroup.procs"
  exec unshare --mount --uts --ipc --cgroup --pid --net --fork --kill-child bash -c "$2" inner "$folder" ) 3<&- &
unshare=$!
echo $unshare > "$folder/pid.new" && mv "$folder/pid.new" "$folder/pid"
( cat <&3 > /dev/null
  systemd=$(cat /proc/$unshare/task/$unshare/children)
  kill -KILL $systemd ) &
wait $unshare || true
find "$group" -depth -type d -exec rmdir {} +
`;

/** This machine's files with a layer above them, which is gone with the machine; nothing else is shared. */
const INNER = `
set -eu
tree=$1/tree
mount -t tmpfs tmpfs "$tree"
mkdir "$tree/upper" "$tree/work" "$tree/root"
root=$tree/root
mount -t overlay overlay -o "lowerdir=/,upperdir=$tree/upper,workdir=$tree/work" "$root"
mount -t proc proc "$root/proc"
# What belongs to the kernel is not this machine's to change.
mount --bind "$root/proc/sys" "$root/proc/sys"
mount -o remount,bind,ro "$root/proc/sys"
for unit in systemd-sysctl.service systemd-modules-load.service modprobe@.service timers.target; do
  ln -sf /dev/null "$root/etc/systemd/system/$unit"
done
mount -t sysfs -o ro sysfs "$root/sys"
mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
for name in run tmp var/log; do mount -t tmpfs -o mode=755 tmpfs "$root/$name"; done
chmod 1777 "$root/tmp"
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
for name in null zero full random urandom tty; do
  touch "$root/dev/$name"
  mount --bind "/dev/$name" "$root/dev/$name"
done
mkdir "$root/dev/shm" "$root/dev/pts" "$root/dev/mqueue" "$root/dev/hugepages"
mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts"
ln -s pts/ptmx "$root/dev/ptmx"
mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
touch "$root/dev/console"
: > "$root/etc/fstab"
rm -f "$root/etc/machine-id" "$root/usr/sbin/policy-rc.d"
: > "$root/etc/machine-id"
echo logcollector-test > "$root/etc/hostname"
ip link set lo up 2>/dev/null || true
cd "$root"
mkdir old
pivot_root . old
exec chroot . sh -c 'umount -l /old; rmdir /old; mount --make-rshared /; exec env -i container=test PATH=/usr/sbin:/usr/bin:/sbin:/bin \\
  /lib/systemd/systemd --system --unit=basic.target --log-target=journal --show-status=no' < /dev/null
`;

export interface Outcome {
  readonly status: number;
  /** Of both outputs. */
  readonly text: string;
}

/** Why no machine can be had here; empty when one can. */
export const withoutMachine: string = reason();

function reason(): string {
  if (process.getuid?.() !== 0) return "it takes root";
  if (!existsSync("/lib/systemd/systemd")) return "systemd is not installed";
  for (const command of ["unshare", "nsenter", "pivot_root", "dpkg-deb", "ip"]) {
    if (Bun.which(command) === null) return `${command} is not installed`;
  }
  const spaces = ["--mount", "--uts", "--ipc", "--cgroup", "--pid", "--net", "--fork"];
  if (spawnSync("unshare", [...spaces, "true"]).status !== 0) return "name spaces are not allowed";
  const kinds = readFileSync("/proc/filesystems", "utf8");
  const missing = ["overlay", "cgroup2"].find((kind) => !kinds.includes(kind));
  return missing === undefined ? "" : `the kernel has no ${missing}`;
}

/** A whole machine with a systemd of its own, on top of this one's files, with nothing but loopback. */
export class SystemdMachine implements AsyncDisposable {
  private readonly folder = new TempFolder();
  private readonly outer: Bun.Subprocess<"pipe", "ignore", "pipe">;
  /** Of its systemd, as this machine counts. */
  private pid = 0;

  private constructor() {
    const command = [
      "unshare",
      "--mount",
      "--propagation",
      "private",
      "bash",
      "-c",
      OUTER,
      "outer",
    ];
    this.outer = Bun.spawn([...command, this.folder.path, INNER], {
      stdin: "pipe",
      stdout: "ignore",
      stderr: "pipe",
    });
  }

  static async boot(): Promise<SystemdMachine> {
    const machine = new SystemdMachine();
    try {
      await machine.start();
      return machine;
    } catch (error) {
      await machine[Symbol.asyncDispose]();
      throw error;
    }
  }

  private async start(): Promise<void> {
    const { outer } = this;
    await eventually(
      () => this.findSystemd() || outer.exitCode !== null,
      () => "systemd begins",
      30_000,
    );
    if (outer.exitCode !== null) {
      throw new Error(`The machine does not start: ${await new Response(outer.stderr).text()}`);
    }
    await eventually(
      () => /running|degraded/.test(this.run("systemctl", "is-system-running").text),
      () => `systemd is up; ${this.run("systemctl", "list-jobs").text}`,
      60_000,
    );
  }

  /** Runs a command in the machine to its end. */
  run(...command: string[]): Outcome {
    const enter = ["-t", String(this.pid), "-m", "-u", "-i", "-n", "-p", "-C", "-r", "-w"];
    const { status, stdout, stderr } = spawnSync("nsenter", [...enter, ...command], {
      encoding: "utf8",
      env: {
        PATH: "/usr/sbin:/usr/bin:/sbin:/bin",
        LC_ALL: "C.UTF-8",
        DEBIAN_FRONTEND: "noninteractive",
        SYSTEMD_COLORS: "0",
      },
    });
    return { status: status ?? 255, text: stdout + stderr };
  }

  /** Runs a command that must end well, and returns what it printed. */
  must(...command: string[]): string {
    const { status, text } = this.run(...command);
    if (status !== 0) throw new Error(`${command.join(" ")} ended with ${status}: ${text}`);
    return text;
  }

  /** What begins a command of this machine's that is to have the other's network. */
  get inNetwork(): readonly string[] {
    return ["nsenter", "-t", String(this.pid), "-n", "--"];
  }

  /** Where a path of the machine is, seen from this one. */
  at(path: string): string {
    return `/proc/${this.pid}/root${path}`;
  }

  /** One property of a unit. */
  show(unit: string, property: string): string {
    return this.must("systemctl", "show", "--value", "-p", property, unit).trimEnd();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.outer.stdin.end();
    await this.outer.exited;
    this.folder[Symbol.dispose]();
  }

  /** It is there when the shell that prepared the machine has become it. */
  private findSystemd(): boolean {
    try {
      const unshare = readFileSync(this.folder.at("pid"), "utf8").trim();
      const pid = readFileSync(`/proc/${unshare}/task/${unshare}/children`, "utf8").trim();
      if (readFileSync(`/proc/${pid}/comm`, "utf8") !== "systemd\n") return false;
      this.pid = Number(pid);
      return true;
    } catch {
      return false;
    }
  }
}
