import { cpus, release, type, version } from "node:os";

/** What figures belong to. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly kernel: string;
}

export function thisMachine(): Machine {
  const cores = cpus();
  return {
    cpu: cores[0]?.model ?? "unknown",
    cores: cores.length,
    kernel: `${type()} ${release()} ${version()}`,
  };
}
