import { readFile } from "node:fs/promises";
import type { Clock } from "../context.ts";
import type { KubeApiConfig } from "./api-options.ts";

const COMMAND_MS = 10_000;
const LONGEST_TOKEN = 64 * 1024;

type TokenConfig = Pick<
  KubeApiConfig,
  "kube_token_file" | "kube_token_command" | "kube_token_ttl"
>;

/** The token to log in with. It is read when it is first needed, and again when it is old or was refused. */
export class KubeToken {
  private readonly config: TokenConfig;
  private readonly clock: Clock;
  private known: string | undefined;
  private readAtMs = 0;

  constructor(config: TokenConfig, clock: Clock) {
    this.config = config;
    this.clock = clock;
  }

  /** Rejects when there is none to be had, and says where it should be. */
  async read(): Promise<string> {
    const { clock, config: { kube_token_ttl } } = this;
    if (this.known === undefined || clock.nowMs() - this.readAtMs >= kube_token_ttl) {
      this.known = await this.obtain();
      this.readAtMs = clock.nowMs();
    }
    return this.known;
  }

  /** The server has refused it. */
  forget(): void {
    this.known = undefined;
  }

  private async obtain(): Promise<string> {
    const { kube_token_command: command, kube_token_file: file } = this.config;
    const [text, source] = command === undefined
      ? [await readTokenFile(file), `kube_token_file ${file}`]
      : [await runCommand(command), "kube_token_command"];
    const token = text.trim();
    if (!/^[\x21-\x7e]+$/.test(token)) throw new Error(`cannot use ${source}: it holds no token`);
    return token;
  }
}

async function readTokenFile(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    throw new Error(`cannot read kube_token_file: ${(cause as Error).message}`, { cause });
  }
}

function runCommand(command: string): Promise<string> {
  const { execFile } = require("node:child_process") as typeof import("node:child_process");
  return new Promise((resolve, reject) => {
    execFile(
      "/bin/sh",
      ["-c", command],
      { timeout: COMMAND_MS, killSignal: "SIGKILL", maxBuffer: LONGEST_TOKEN },
      (error, stdout) => {
        if (error === null) return resolve(stdout);
        // The message has the command line in it, and that may hold a secret.
        const how = error.killed ? `took over ${COMMAND_MS / 1000} s` : `failed: ${error.code}`;
        reject(new Error(`kube_token_command ${how}`));
      },
    );
  });
}
