import { crc32c } from "../../lib/crc32c.ts";
import type { DiskFiles } from "../disk/files.ts";
import { DamagedLetter, decodeLetterHead, type LetterHeader } from "./letter.ts";
import { letterFile } from "./letter-name.ts";

/** A letter as it was kept. */
export interface ReadLetter {
  readonly header: LetterHeader;
  readonly bytes: Buffer;
}

const FIRST_READ_BYTES = 4096;

/** Reads what a letter says of itself. Throws {@link DamagedLetter}, and what the system says. */
export function readLetterHeader(files: DiskFiles, folder: string, id: string): LetterHeader {
  return opened(files, folder, id, (fd) => readHead(files, fd).header);
}

/** Reads a letter and verifies it. Throws {@link DamagedLetter}, and what the system says. */
export function readLetter(files: DiskFiles, folder: string, id: string): ReadLetter {
  return opened(files, folder, id, (fd) => {
    const { header, payloadAt } = readHead(files, fd);
    const bytes = Buffer.allocUnsafeSlow(header.bytes);
    files.read(fd, bytes, payloadAt);
    if (crc32c(bytes) !== header.crc32c) {
      throw new DamagedLetter("its payload is not what was written");
    }
    return { header, bytes };
  });
}

function opened<T>(files: DiskFiles, folder: string, id: string, read: (fd: number) => T): T {
  const fd = files.open(`${folder}/${letterFile(id)}`, "read");
  try {
    return read(fd);
  } finally {
    files.close(fd);
  }
}

function readHead(
  files: DiskFiles,
  fd: number,
): { readonly header: LetterHeader; readonly payloadAt: number } {
  const size = files.size(fd);
  for (let wanted = FIRST_READ_BYTES;; wanted *= 4) {
    const bytes = Buffer.allocUnsafe(Math.min(wanted, size));
    const head = decodeLetterHead(bytes.subarray(0, files.read(fd, bytes, 0)));
    if (head !== undefined) {
      const missing = head.payloadAt + head.header.bytes - size;
      if (missing === 0) return head;
      throw new DamagedLetter(
        missing > 0
          ? `the last ${missing} bytes of its payload are missing`
          : `there are ${-missing} bytes behind its payload`,
      );
    }
    if (wanted >= size) throw new DamagedLetter("it ends within its header");
  }
}
