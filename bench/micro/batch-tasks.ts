import { compileAccessor } from "../../src/lib/record-accessor.ts";
import { compilePattern } from "../../src/lib/pattern.ts";
import { Batch } from "../../src/sdk/batch.ts";
import type { LineParser } from "../../src/sdk/context.ts";
import { addText, renameField } from "../../src/sdk/edits.ts";
import { jsonEncoder } from "../../src/sdk/json-encoder.ts";
import { keepRecords } from "../../src/sdk/keep-records.ts";
import { msgpackEncoder } from "../../src/sdk/msgpack-encoder.ts";
import { RawBlock } from "../../src/sdk/raw-lines.ts";
import { recordEditor } from "../../src/sdk/record-editor.ts";
import { fieldMatches } from "../../src/sdk/record-test.ts";
import type { Contestant, Task } from "./harness.ts";
import { blockOf, type InputBlock, jsonParser, lineBlock, NOW } from "./input.ts";

/**
 * What is done to batches: as JSON bytes, and as records. A batch can be used once, so each run begins with the bytes of
 * the lines; what that takes alone is a task of its own.
 */
export function batchTasks(): Task[] {
  const block = blockOf("json");
  const parser = jsonParser();
  const size = { bytes: block.bytes.length, records: block.lines.length };
  const of = (name: string, work: (batch: Batch) => number): Task => ({
    ...size,
    name,
    contestants: [
      { name: "on bytes (kernels)", run: () => work(batchOf(parser, block)) },
      asRecords(parser, block, work),
    ],
  });
  return [
    of("read JSON, and nothing more", (batch) => batch.length),
    of("read and write JSON", writeJson()),
    of("read JSON and write msgpack", writeMsgpack()),
    of("read JSON and grep", grep()),
    of("read JSON and edit", edit()),
    of("read, grep, edit and write JSON", all()),
    linesToMsgpack(block),
  ];
}

/** Lines that nobody looks into, as an output for Fluentd sends them. */
function linesToMsgpack({ lines, bytes }: InputBlock): Task {
  const write = writeMsgpack();
  const source = { key: "log", ...NOW, bytes: bytes.subarray(0, -1), count: lines.length };
  return {
    name: "write lines as msgpack",
    bytes: bytes.length,
    records: lines.length,
    contestants: [
      { name: "on bytes (kernel)", run: () => write(Batch.ofLines("bench", new RawBlock(source))) },
      {
        name: "on records",
        run: () =>
          write(Batch.of("bench", [...Batch.ofLines("bench", new RawBlock(source)).records])),
      },
    ],
  };
}

function batchOf(parser: LineParser, block: InputBlock): Batch {
  return Batch.ofJson("bench", parser.readJson!(lineBlock(block))!);
}

function asRecords(
  parser: LineParser,
  block: InputBlock,
  work: (batch: Batch) => number,
): Contestant {
  return {
    name: "on records",
    run() {
      const batch = batchOf(parser, block);
      void batch.records;
      return work(batch.with(batch.records));
    },
  };
}

/** Returns the bytes that were written. */
function writeJson(): (batch: Batch) => number {
  const encoder = jsonEncoder({ format: "json_lines", dateKey: "date" });
  let bytes = 0;
  const into = {
    text: (text: string) => void (bytes += Buffer.from(text).length),
    bytes: (written: Uint8Array) => void (bytes += written.length),
  };
  return (batch) => {
    bytes = 0;
    encoder.encode(batch, into);
    return bytes;
  };
}

function writeMsgpack(): (batch: Batch) => number {
  const encoder = msgpackEncoder({ metadata: "always" });
  return (batch) => encoder.encode(batch).length;
}

/** About one record in seven is left. */
function grep(): (batch: Batch) => number {
  const wanted = fieldMatches(compileAccessor("level"), compilePattern("^err"));
  return (batch) => {
    keepRecords(batch, wanted);
    return batch.length;
  };
}

function edit(): (batch: Batch) => number {
  const editor = recordEditor([
    renameField("msg", "message", { replace: false }),
    addText("cluster", "bench"),
  ]);
  return (batch) => {
    editor.edit(batch);
    return batch.length;
  };
}

function all(): (batch: Batch) => number {
  const steps = [grep(), edit()];
  const write = writeJson();
  return (batch) => {
    for (const step of steps) step(batch);
    return write(batch);
  };
}
