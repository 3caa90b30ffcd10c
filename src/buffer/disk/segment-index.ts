import { crc32c } from "../../lib/crc32c.ts";
import type { Claim } from "../queued-payload.ts";
import type { DiskFiles } from "./files.ts";
import { claimKey, type Segment } from "./segment.ts";

interface Index {
  readonly lastSeq: number;
  readonly endRecord: number;
  readonly end: number;
  readonly claims: readonly (readonly [string, string, string, number])[];
}

/** Beside a closed segment: what reading all of it would say. Without it the segment is read. */
export function indexPath(segmentPath: string): string {
  return segmentPath.replace(/\.seg$/, ".idx");
}

/** Best effort: an index that cannot be written is missing, which costs time at a start and nothing else. */
export function writeIndex(files: DiskFiles, segment: Segment): void {
  const { lastSeq, endRecord, end, claims } = segment;
  const index: Index = {
    lastSeq,
    endRecord,
    end,
    claims: [...claims.values()].map(({ input, stream, position, order }) =>
      [input, stream, position, order] as const
    ),
  };
  const text = Buffer.from(JSON.stringify(index));
  const line = Buffer.from(`lcindex 1 ${crc32c(text)}\n`);
  const path = indexPath(segment.path);
  try {
    if (files.facts(path) !== undefined) files.remove(path);
    const fd = files.create(path);
    try {
      files.write(fd, [line, text], 0);
    } finally {
      files.close(fd);
    }
  } catch {
    // A part of one would be found out by its checksum.
  }
}

/** The segment as its index describes it; `undefined` when there is none that fits a file of this size. */
export function readIndex(
  files: DiskFiles,
  path: string,
  size: number,
  first: Pick<Segment, "firstSeq" | "firstRecord">,
): Segment | undefined {
  const at = indexPath(path);
  const facts = files.facts(at);
  if (facts?.kind !== "file" || facts.size > 64 * 1024 * 1024) return undefined;
  const index = parse(readWhole(files, at, facts.size));
  if (index === undefined || index.end !== size) return undefined;
  const claims = index.claims.map(([input, stream, position, order]): Claim => ({
    input,
    stream,
    position,
    order,
  }));
  return {
    path,
    ...first,
    lastSeq: index.lastSeq,
    endRecord: index.endRecord,
    end: index.end,
    claims: new Map(claims.map((claim) => [claimKey(claim), claim])),
  };
}

function readWhole(files: DiskFiles, path: string, size: number): Buffer {
  const fd = files.open(path, "read");
  try {
    const bytes = Buffer.alloc(size);
    return bytes.subarray(0, files.read(fd, bytes, 0));
  } finally {
    files.close(fd);
  }
}

function parse(bytes: Buffer): Index | undefined {
  const lineEnd = bytes.indexOf(10);
  const match = /^lcindex 1 (\d+)$/.exec(bytes.toString("latin1", 0, Math.max(0, lineEnd)));
  if (match === null) return undefined;
  const text = bytes.subarray(lineEnd + 1);
  if (crc32c(text) !== Number(match[1])) return undefined;
  return JSON.parse(text.toString()) as Index;
}
