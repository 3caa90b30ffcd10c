import { readFileSync } from "node:fs";

const BOOT_ID_FILE = "/proc/sys/kernel/random/boot_id";

/** The id of the time that the machine has been running, as journals write it. Throws what the system says. */
export function currentBoot(): string {
  return readFileSync(BOOT_ID_FILE, "utf8").trim().replaceAll("-", "");
}
