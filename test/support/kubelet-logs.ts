import { createHash } from "node:crypto";
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { gzipSync } from "node:zlib";

export type Runtime = "cri" | "docker";
export type StreamName = "stdout" | "stderr";

/** The longest piece that a runtime writes as one line, in bytes. */
const PIECE_BYTES = 16 * 1024;
/** What the kubelet keeps by default: the current file and four rotated ones. */
const MAX_FILES = 5;

/**
 * The logs of a node as kubelet and a container runtime lay them out, in a folder of a test's own: containerd's and
 * CRI-O's lines in `var/log/pods`, or Docker's JSON in `var/lib/docker/containers` with a link more on the way to it.
 */
export class NodeLogs {
  private containers = 0;
  private rotations = 0;

  /** `seenAs` is where a collector finds the folder: links lead there. */
  constructor(
    readonly root: string,
    readonly runtime: Runtime = "cri",
    private readonly seenAs: string = root,
  ) {
    for (const folder of ["var/log/pods", "var/log/containers", "var/lib/docker/containers"]) {
      mkdirSync(join(root, folder), { recursive: true });
    }
  }

  /** What a collector is told to read. */
  get pattern(): string {
    return join(this.root, "var/log/containers/*.log");
  }

  startPod(name: string, namespace = "default", uid = uidOf(`${namespace}/${name}`)): PodLogs {
    return new PodLogs(this, name, namespace, uid);
  }

  /** Where a link must lead to, so that it leads to a file of the node's. */
  seen(path: string): string {
    return join(this.seenAs, path.slice(this.root.length));
  }

  newId(): string {
    return createHash("sha256").update(`container ${this.containers++}`).digest("hex");
  }

  /** The times in the names of rotated files are a second apart. */
  nextRotation(): string {
    const at = new Date(Date.UTC(2026, 0, 1, 12, 0, this.rotations++));
    const [day, time] = at.toISOString().slice(0, 19).split("T");
    return `${day!.replaceAll("-", "")}-${time!.replaceAll(":", "")}`;
  }
}

/** A pod on the node: its containers and its folder. */
export class PodLogs {
  readonly folder: string;
  private readonly containers: ContainerLog[] = [];
  private readonly restarts = new Map<string, number>();

  constructor(
    readonly node: NodeLogs,
    readonly name: string,
    readonly namespace: string,
    readonly uid: string,
  ) {
    this.folder = join(node.root, "var/log/pods", `${namespace}_${name}_${uid}`);
    mkdirSync(this.folder);
  }

  /**
   * Starts a container; another one of the same name is a restart, with a file and a link of its own. With `linkFirst`
   * the file is made by the first line only.
   */
  start(name: string, { linkFirst = false } = {}): ContainerLog {
    const restart = this.restarts.get(name) ?? 0;
    this.restarts.set(name, restart + 1);
    const container = new ContainerLog(this, name, restart, linkFirst);
    this.containers.push(container);
    return container;
  }

  /** As the kubelet does it: the files of each container, its link, then the folder. */
  delete(): void {
    for (const container of this.containers) container.remove();
    rmSync(this.folder, { recursive: true });
  }
}

/** The log of one run of a container. */
export class ContainerLog {
  readonly id: string;
  /** The link that collectors find: `var/log/containers/POD_NAMESPACE_CONTAINER-ID.log`. */
  readonly link: string;
  /** The file that the runtime writes. */
  readonly file: string;
  /** Whole lines written, per stream. */
  readonly written: Record<StreamName, string[]> = { stdout: [], stderr: [] };
  private readonly podFile: string;
  /** What of a line was written so far, per stream. */
  private readonly parts: Record<StreamName, string> = { stdout: "", stderr: "" };

  constructor(
    readonly pod: PodLogs,
    readonly name: string,
    readonly restart: number,
    linkFirst: boolean,
  ) {
    const { node, namespace } = pod;
    this.id = node.newId();
    this.podFile = join(pod.folder, name, `${restart}.log`);
    mkdirSync(dirname(this.podFile), { recursive: true });
    this.link = join(
      node.root,
      "var/log/containers",
      `${pod.name}_${namespace}_${name}-${this.id}.log`,
    );
    this.file = this.podFile;
    if (node.runtime === "docker") {
      const folder = join(node.root, "var/lib/docker/containers", this.id);
      mkdirSync(folder, { mode: 0o710 });
      this.file = join(folder, `${this.id}-json.log`);
      symlinkSync(node.seen(this.file), this.podFile);
    }
    // As runtimes make it: for root alone.
    if (!linkFirst) appendFileSync(this.file, "", { mode: 0o640 });
    symlinkSync(node.seen(this.podFile), this.link);
  }

  /** Whole lines of one stream, with one call as a busy container makes it. */
  write(stream: StreamName, ...lines: readonly string[]): void {
    appendFileSync(this.file, lines.map((line) => this.whole(stream, line)).join(""));
  }

  /** The beginning of a line. */
  writePart(stream: StreamName, text: string): void {
    appendFileSync(
      this.file,
      piecesOf(text).map((each) => this.line(stream, each, false)).join(""),
    );
    this.parts[stream] += text;
  }

  /** `late` are lines of stdout that the runtime writes to the renamed file, until it has opened the new one. */
  rotate(...late: readonly string[]): void {
    const renamed = this.pod.node.runtime === "cri" ? this.rotateByTime() : this.rotateByNumber();
    for (const line of late) appendFileSync(renamed, this.whole("stdout", line));
    appendFileSync(this.file, "", { mode: 0o640 });
  }

  /** The runtime did not open another file: the kubelet gives the old one its name back. */
  failToRotate(...meanwhile: readonly string[]): void {
    const renamed = this.rotateByTime();
    for (const line of meanwhile) appendFileSync(renamed, this.whole("stdout", line));
    renameSync(renamed, this.file);
  }

  /** As the kubelet does it: the oldest goes, the older ones are compressed, the current one is renamed. */
  private rotateByTime(): string {
    const rotated = this.rotated();
    for (const path of rotated.splice(0, rotated.length - (MAX_FILES - 2))) unlinkSync(path);
    for (const path of rotated) if (!path.endsWith(".gz")) compress(path, `${path}.gz`);
    const renamed = `${this.file}.${this.pod.node.nextRotation()}`;
    renameSync(this.file, renamed);
    return renamed;
  }

  /** As Docker does it with the options max-file and compress: each gets the next number. */
  private rotateByNumber(): string {
    for (const path of this.rotated().reverse()) {
      const at = Number(/\.(\d+)(?:\.gz)?$/.exec(path)![1]);
      if (at >= MAX_FILES - 1) unlinkSync(path);
      else if (path.endsWith(".gz")) renameSync(path, `${this.file}.${at + 1}.gz`);
      else compress(path, `${this.file}.${at + 1}.gz`);
    }
    renameSync(this.file, `${this.file}.1`);
    return `${this.file}.1`;
  }

  /** The container is gone: its files, then its link, unless the link is left. */
  remove({ keepLink = false } = {}): void {
    for (const path of this.rotated()) unlinkSync(path);
    rmSync(this.file, { force: true });
    if (this.file !== this.podFile) {
      rmSync(dirname(this.file), { recursive: true, force: true });
      rmSync(this.podFile, { force: true });
    }
    if (!keepLink) rmSync(this.link, { force: true });
  }

  /** A line, or the rest of one, in the pieces in which a runtime writes it. */
  private whole(stream: StreamName, line: string): string {
    const pieces = piecesOf(line);
    const last = pieces.pop()!;
    this.written[stream].push(this.parts[stream] + line);
    this.parts[stream] = "";
    return pieces.map((each) => this.line(stream, each, false)).join("") +
      this.line(stream, last, true);
  }

  /** The oldest first. */
  private rotated(): string[] {
    const folder = dirname(this.file);
    if (!existsSync(folder)) return [];
    return readdirSync(folder).filter((name) => name.startsWith(`${basename(this.file)}.`))
      .sort().map((name) => join(folder, name));
  }

  private line(stream: StreamName, content: string, isWhole: boolean): string {
    const time = new Date().toISOString().replace("Z", "000000Z");
    if (this.pod.node.runtime === "cri") {
      return `${time} ${stream} ${isWhole ? "F" : "P"} ${content}\n`;
    }
    return `${JSON.stringify({ log: isWhole ? `${content}\n` : content, stream, time })}\n`;
  }
}

/** As the kubelet does it: the compressed file appears whole, and the other one goes. */
function compress(path: string, packed: string): void {
  writeFileSync(`${path}.tmp`, gzipSync(readFileSync(path)));
  renameSync(`${path}.tmp`, packed);
  unlinkSync(path);
}

function piecesOf(line: string): string[] {
  const pieces: string[] = [];
  for (let at = 0; at < line.length; at += PIECE_BYTES) {
    pieces.push(line.slice(at, at + PIECE_BYTES));
  }
  return pieces.length === 0 ? [""] : pieces;
}

function uidOf(name: string): string {
  const hex = createHash("sha256").update(name).digest("hex");
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    hex.slice(12, 16),
    hex.slice(16, 20),
    hex.slice(20, 32),
  ]
    .join("-");
}
