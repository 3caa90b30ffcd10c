/** Runs a command to its end and returns what it printed. Throws with everything it said when it fails. */
export function command(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): string {
  const { exitCode, stdout, stderr } = Bun.spawnSync([...args], {
    env: { ...process.env, ...env },
  });
  if (exitCode === 0) return stdout.toString().trim();
  const said = `${stdout}${stderr}`.slice(-4000);
  throw new Error(`Cannot run ${args.join(" ")}: it ended with ${exitCode}\n${said}`);
}

/** Containers and images in a folder of their own, without an engine and away from the machine's. */
export class Buildah {
  /** Say where, and go in front of the task. */
  readonly options: readonly string[];

  constructor(folder: string) {
    this.options = [
      ...["--root", `${folder}/storage`, "--runroot", `${folder}/run`],
      ...["--storage-driver", "vfs"],
    ];
  }

  run(task: string, ...args: readonly string[]): string {
    return command(["buildah", ...this.options, task, ...args]);
  }

  has(image: string): boolean {
    return this.run("images", "--format", "{{.Name}}:{{.Tag}}").split("\n")
      .some((name) => name.endsWith(`/${image}`));
  }

  /** Makes an image of folders and archives, one over the other. */
  commit(image: string, ...contents: readonly string[]): void {
    const container = this.run("from", "scratch");
    for (const content of contents) this.run("add", "--quiet", container, content, "/");
    this.run("commit", "--quiet", "--rm", container, image);
  }

  /** The folder with the files of an image. */
  mount(image: string): string {
    return this.run("mount", this.run("from", "--pull-never", image));
  }
}
