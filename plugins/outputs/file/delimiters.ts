import type { FileConfig } from "./config.ts";

export interface Delimiters {
  readonly delimiter: string;
  readonly label: string;
}

const DELIMITERS: ReadonlyMap<string, string> = new Map([
  ["\\t", "\t"],
  ["\t", "\t"],
  ["tab", "\t"],
  ["space", " "],
  ["comma", ","],
]);

const USUAL = {
  csv: { delimiter: ",", label: "" },
  ltsv: { delimiter: "\t", label: ":" },
} as const;

type Options = Pick<FileConfig, "delimiter" | "label_delimiter">;

/** Fluent Bit knows delimiters by name and takes its own for any other, of which `ignore` is told. */
export function delimiters(
  config: Options,
  format: keyof typeof USUAL,
  ignore: (reason: string) => void = () => undefined,
): Delimiters {
  const usual = USUAL[format];
  const named = (option: "delimiter" | "label_delimiter", otherwise: string): string => {
    const name = config[option];
    if (name === undefined) return otherwise;
    const found = DELIMITERS.get(name.toLowerCase());
    if (found === undefined && name !== otherwise) {
      ignore(`Ignored ${option} ${JSON.stringify(name)}: it must be tab, space or comma`);
    }
    return found ?? otherwise;
  };
  return {
    delimiter: named("delimiter", usual.delimiter),
    label: named("label_delimiter", usual.label),
  };
}

const WORDS: ReadonlyMap<string, string> = new Map([
  ["\t", "tab"],
  [" ", "space"],
  [",", "comma"],
]);

/** The delimiters that are not the usual ones, in words. */
export function unusualDelimiters(config: Options, format: keyof typeof USUAL): string[] {
  const { delimiter, label } = delimiters(config, format);
  const words: string[] = [];
  if (delimiter !== USUAL[format].delimiter) words.push(WORDS.get(delimiter)!);
  if (format === "ltsv" && label !== USUAL.ltsv.label) words.push(`label_${WORDS.get(label)!}`);
  return words;
}
