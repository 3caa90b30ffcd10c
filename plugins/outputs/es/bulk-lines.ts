import type { BulkConfig } from "./config.ts";

/** The text around a document. */
export interface BulkLines {
  /** The line that says what to do with the document, and what stands in front of it on its own line. */
  head(index: string, id: string | undefined): string;
  /** What stands behind a document: the end of its line. */
  readonly tail: string;
}

/** An update has the document inside of another object. */
const AROUND: Readonly<Record<BulkConfig["write_operation"], readonly [string, string]>> = {
  create: ["", "\n"],
  index: ["", "\n"],
  update: ['{"doc":', "}\n"],
  upsert: ['{"doc_as_upsert":true,"doc":', "}\n"],
};

/** The last head is remembered, since most documents go the same way. */
export function bulkLines(config: BulkConfig): BulkLines {
  const action = isUpdate(config) ? "update" : config.write_operation;
  const [before, tail] = AROUND[config.write_operation];
  const type = config.suppress_type_name ? {} : { _type: config.type };
  const make = (index: string, id: string | undefined): string =>
    `${JSON.stringify({ [action]: { _index: index, ...type, _id: id } })}\n${before}`;
  let lastIndex: string | undefined;
  let last = "";
  return {
    tail,
    head(index, id) {
      if (id !== undefined) return make(index, id);
      if (index !== lastIndex) {
        last = make(index, id);
        lastIndex = index;
      }
      return last;
    },
  };
}

/** Whether documents that are there are changed, for which they must have an id. */
export function isUpdate({ write_operation: operation }: BulkConfig): boolean {
  return operation === "update" || operation === "upsert";
}
