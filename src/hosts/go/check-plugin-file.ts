import { readElf } from "./read-elf.ts";

const MACHINES: Readonly<Record<number, string>> = {
  3: "386",
  21: "ppc64",
  22: "s390x",
  40: "arm",
  62: "amd64",
  183: "arm64",
  243: "riscv64",
};
const OWN_MACHINE: Readonly<Record<string, number>> = { x64: 62, arm64: 183 };
const SHARED_LIBRARY = 3;

/** Throws an Error that says why the file cannot be loaded here, before a process is started for it. */
export function checkPluginFile(path: string): void {
  const elf = readElf(path);
  if (elf === undefined) {
    throw new Error(
      "it is no shared library of Linux (ELF): build it with go build -buildmode=c-shared",
    );
  }
  const own = OWN_MACHINE[process.arch];
  if (elf.machine !== own || elf.bits !== 64) {
    const name = MACHINES[elf.machine] ?? `processor ${elf.machine}`;
    const here = own === undefined ? process.arch : MACHINES[own];
    throw new Error(`it is built for ${name}, and this is ${here}: build it with GOARCH=${here}`);
  }
  if (elf.type !== SHARED_LIBRARY) {
    throw new Error(
      "it is a program, not a shared library: build it with go build -buildmode=c-shared",
    );
  }
  const musl = elf.needed.some((name) => /^(libc\.musl-|ld-musl-|libc\.so$)/.test(name));
  const glibc = elf.needed.some((name) => /^libc\.so\.6$/.test(name));
  if (musl !== glibc && musl !== runsOnMusl()) {
    const [theirs, ours] = musl ? ["musl (Alpine)", "glibc"] : ["glibc", "musl (Alpine)"];
    throw new Error(
      `it is built for ${theirs}, and this collector runs on ${ours}: build the plugin on a system with ${ours}`,
    );
  }
}

/** Of this executable itself: another C library cannot live in the same process. */
function runsOnMusl(): boolean {
  return readElf("/proc/self/exe")?.needed.some((name) => /musl/.test(name)) ?? false;
}
